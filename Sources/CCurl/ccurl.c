#include "CCurl.h"
#include <dlfcn.h>
#include <pthread.h>

// The header's own declarations give the types, so that a call is checked as if libcurl were linked.
#define FUNCTIONS(X) \
    X(curl_global_init) X(curl_version) X(curl_easy_init) X(curl_easy_cleanup) X(curl_easy_reset) X(curl_easy_setopt) \
    X(curl_easy_getinfo) X(curl_slist_append) X(curl_slist_free_all) X(curl_multi_init) X(curl_multi_cleanup) \
    X(curl_multi_add_handle) X(curl_multi_remove_handle) X(curl_multi_perform) X(curl_multi_poll) \
    X(curl_multi_info_read)

#undef curl_easy_setopt
#undef curl_easy_getinfo
#define DECLARE(name) __typeof__(name) *name;
static struct { FUNCTIONS(DECLARE) } curl;
static const char *problem;
static pthread_once_t once = PTHREAD_ONCE_INIT;

static void load(void) {
    static const char *const names[] = {"libcurl.so.4", "libcurl-gnutls.so.4"};
    void *library = NULL;
    for (size_t i = 0; i < sizeof names / sizeof *names && !library; i++) library = dlopen(names[i], RTLD_NOW | RTLD_LOCAL);
    if (!library) {
        problem = "libcurl is not installed";
        return;
    }
#define FIND(name) \
    if (!(curl.name = (__typeof__(name) *)dlsym(library, #name))) { problem = "libcurl lacks " #name ": it is too old"; return; }
    FUNCTIONS(FIND)
    if (curl.curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK) problem = "libcurl does not start";
}

const char *cc_load(void) {
    pthread_once(&once, load);
    return problem;
}

const char *cc_version(void) { return curl.curl_version(); }

CURL *cc_easy_new(void) { return curl.curl_easy_init(); }
void cc_easy_free(CURL *easy) { curl.curl_easy_cleanup(easy); }
void cc_easy_reset(CURL *easy) { curl.curl_easy_reset(easy); }

CURLcode cc_set_long(CURL *easy, CURLoption option, long value) { return curl.curl_easy_setopt(easy, option, value); }
CURLcode cc_set_size(CURL *easy, CURLoption option, curl_off_t value) { return curl.curl_easy_setopt(easy, option, value); }
CURLcode cc_set_text(CURL *easy, CURLoption option, const char *text) { return curl.curl_easy_setopt(easy, option, text); }
CURLcode cc_set_bytes(CURL *easy, CURLoption option, const void *bytes, size_t count) {
    struct curl_blob blob = {.data = (void *)bytes, .len = count, .flags = CURL_BLOB_COPY};
    return curl.curl_easy_setopt(easy, option, &blob);
}
CURLcode cc_set_list(CURL *easy, CURLoption option, struct curl_slist *list) {
    return curl.curl_easy_setopt(easy, option, list);
}
CURLcode cc_set_error_buffer(CURL *easy, char *buffer) {
    return curl.curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, buffer);
}

CURLcode cc_set_callbacks(CURL *easy, cc_transfer header, cc_transfer write, cc_transfer read, cc_seek seek, void *context) {
    CURLcode code;
    if ((code = curl.curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, header))) return code;
    if ((code = curl.curl_easy_setopt(easy, CURLOPT_HEADERDATA, context))) return code;
    if ((code = curl.curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, write))) return code;
    if ((code = curl.curl_easy_setopt(easy, CURLOPT_WRITEDATA, context))) return code;
    if ((code = curl.curl_easy_setopt(easy, CURLOPT_READFUNCTION, read))) return code;
    if ((code = curl.curl_easy_setopt(easy, CURLOPT_READDATA, context))) return code;
    if ((code = curl.curl_easy_setopt(easy, CURLOPT_SEEKFUNCTION, seek))) return code;
    return curl.curl_easy_setopt(easy, CURLOPT_SEEKDATA, context);
}

struct curl_slist *cc_list_append(struct curl_slist *list, const char *text) { return curl.curl_slist_append(list, text); }
void cc_list_free(struct curl_slist *list) { curl.curl_slist_free_all(list); }

long cc_proxy_status(CURL *easy) {
    long status = 0;
    return curl.curl_easy_getinfo(easy, CURLINFO_HTTP_CONNECTCODE, &status) == CURLE_OK ? status : 0;
}

bool cc_is_connected(CURL *easy) {
    curl_off_t microseconds = 0;
    return curl.curl_easy_getinfo(easy, CURLINFO_PRETRANSFER_TIME_T, &microseconds) == CURLE_OK && microseconds > 0;
}

CURLM *cc_multi_new(void) { return curl.curl_multi_init(); }
void cc_multi_free(CURLM *multi) { curl.curl_multi_cleanup(multi); }
CURLMcode cc_multi_add(CURLM *multi, CURL *easy) { return curl.curl_multi_add_handle(multi, easy); }
CURLMcode cc_multi_remove(CURLM *multi, CURL *easy) { return curl.curl_multi_remove_handle(multi, easy); }
CURLMcode cc_multi_perform(CURLM *multi, int *running) { return curl.curl_multi_perform(multi, running); }
CURLMcode cc_multi_poll(CURLM *multi, int milliseconds) { return curl.curl_multi_poll(multi, NULL, 0, milliseconds, NULL); }

int cc_multi_result(CURLM *multi) {
    int left = 0;
    for (CURLMsg *message; (message = curl.curl_multi_info_read(multi, &left));)
        if (message->msg == CURLMSG_DONE) return (int)message->data.result;
    return -1;
}
