// libcurl as Swift can call it: no variadic functions, and loaded when the first request is made. Linked in the usual
// way, it and the thirty libraries below it would be loaded at each start of the program.
#pragma once
#define CURL_DISABLE_TYPECHECK
#include <curl/curl.h>
#include <stdbool.h>
#include <stddef.h>

/// Loads libcurl, once. NULL when it is there, else the reason why it is not. Nothing below may be called before.
const char *cc_load(void);

/// The version that was loaded, such as "libcurl/7.88.1 OpenSSL/3.0.19".
const char *cc_version(void);

CURL *cc_easy_new(void);
void cc_easy_free(CURL *easy);
/// Back to default options; connections are kept.
void cc_easy_reset(CURL *easy);

CURLcode cc_set_long(CURL *easy, CURLoption option, long value);
CURLcode cc_set_size(CURL *easy, CURLoption option, curl_off_t value);
/// curl copies the text.
CURLcode cc_set_text(CURL *easy, CURLoption option, const char *text);
/// curl copies the bytes. An error where libcurl is older than 7.77.
CURLcode cc_set_bytes(CURL *easy, CURLoption option, const void *bytes, size_t count);
/// The list must live as long as the request.
CURLcode cc_set_list(CURL *easy, CURLoption option, struct curl_slist *list);
/// 256 bytes that must live as long as the request.
CURLcode cc_set_error_buffer(CURL *easy, char *buffer);

typedef size_t (*cc_transfer)(char *buffer, size_t size, size_t count, void *context);
typedef int (*cc_seek)(void *context, curl_off_t offset, int origin);
CURLcode cc_set_callbacks(CURL *easy, cc_transfer header, cc_transfer write, cc_transfer read, cc_seek seek, void *context);

struct curl_slist *cc_list_append(struct curl_slist *list, const char *text);
void cc_list_free(struct curl_slist *list);

/// The proxy's status in answer to CONNECT, 0 when there was none.
long cc_proxy_status(CURL *easy);
/// Whether the connection stands and the request can go out.
bool cc_is_connected(CURL *easy);

CURLM *cc_multi_new(void);
void cc_multi_free(CURLM *multi);
CURLMcode cc_multi_add(CURLM *multi, CURL *easy);
CURLMcode cc_multi_remove(CURLM *multi, CURL *easy);
CURLMcode cc_multi_perform(CURLM *multi, int *running);
/// Waits until something can be done, for at most that long.
CURLMcode cc_multi_poll(CURLM *multi, int milliseconds);
/// How the request has ended; -1 while it has not.
int cc_multi_result(CURLM *multi);
