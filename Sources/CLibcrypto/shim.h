// OpenSSL's SHA-256 on a context that is a plain value, so that a hash can be copied half-way. OpenSSL 3 calls these
// functions low-level and prefers EVP, whose contexts live on the heap; they stay, and choose SHA instructions likewise.
#pragma once
#define OPENSSL_SUPPRESS_DEPRECATED
#include <openssl/sha.h>
