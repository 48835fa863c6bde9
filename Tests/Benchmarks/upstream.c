// The model vendor of `make bench-models`: one thread, one epoll, fixed answers, so that it costs both sides the same and little.
//
//   upstream PORT
//
// POST <anything>/d<milliseconds>/chat/completions answers after that delay, whole, or as a stream of TOKENS chunks GAP_MS apart where the
// body asks for one. Each chunk's content is the microsecond at which it was sent, so that a reader can tell how late it came.
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { MAX_FD = 4096, BUFFER = 65536, TOKENS = 40, GAP_MS = 50 };

typedef struct {
    char *in;          // one request at a time, head and body
    int used;
    int chunks_left;   // of a stream; -1: a whole answer is due
    long long due_us;  // 0: nothing to send
} Connection;

static Connection connections[MAX_FD];
static int highest;

static long long now_us(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * 1000000LL + now.tv_nsec / 1000;
}

static void hang_up(int fd) {
    free(connections[fd].in);
    memset(&connections[fd], 0, sizeof(Connection));
    close(fd);
}

static void send_all(int fd, const char *bytes, int count) {
    // The answers are far smaller than a socket's buffer: what does not fit belongs to a reader that has stalled for good.
    if (send(fd, bytes, count, MSG_NOSIGNAL) != count) hang_up(fd);
}

static void send_whole(int fd) {
    static const char body[] =
        "{\"id\":\"chatcmpl-bench\",\"object\":\"chat.completion\",\"created\":1767225600,\"model\":\"gpt-4o-mini-2024-07-18\","
        "\"choices\":[{\"index\":0,\"message\":{\"role\":\"assistant\",\"content\":\"夏天出门前十五分钟涂防晒，脸和脖子都要照顾到；"
        "每两小时补一次，出汗或下水后马上补。\",\"refusal\":null},\"logprobs\":null,\"finish_reason\":\"stop\"}],"
        "\"usage\":{\"prompt_tokens\":52,\"completion_tokens\":41,\"total_tokens\":93,"
        "\"prompt_tokens_details\":{\"cached_tokens\":0},\"completion_tokens_details\":{\"reasoning_tokens\":0}}}";
    char answer[sizeof body + 256];
    int count = snprintf(answer, sizeof answer,
                         "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nx-request-id: bench\r\nContent-Length: %zu\r\n\r\n%s",
                         sizeof body - 1, body);
    send_all(fd, answer, count);
}

static void send_chunk(int fd, int index) {
    static const char head[] = "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n";
    static const char opening[] =
        "data: {\"id\":\"chatcmpl-bench\",\"object\":\"chat.completion.chunk\",\"created\":1767225600,"
        "\"model\":\"gpt-4o-mini-2024-07-18\",\"choices\":[{\"index\":0,";
    char event[1024], wire[1536];
    if (index > 0)
        snprintf(event, sizeof event, "%s\"delta\":{%s\"content\":\"%lld \"},\"finish_reason\":null}],\"usage\":null}\n\n", opening,
                 index == TOKENS ? "\"role\":\"assistant\"," : "", now_us());
    else
        snprintf(event, sizeof event,
                 "%s\"delta\":{},\"finish_reason\":\"stop\"}],\"usage\":null}\n\n"
                 "data: {\"id\":\"chatcmpl-bench\",\"object\":\"chat.completion.chunk\",\"created\":1767225600,"
                 "\"model\":\"gpt-4o-mini-2024-07-18\",\"choices\":[],\"usage\":{\"prompt_tokens\":52,\"completion_tokens\":%d,"
                 "\"total_tokens\":%d}}\n\ndata: [DONE]\n\n", opening, TOKENS, 52 + TOKENS);
    int count = snprintf(wire, sizeof wire, "%s%zx\r\n%s\r\n%s", index == TOKENS ? head : "", strlen(event), event,
                         index == 0 ? "0\r\n\r\n" : "");
    send_all(fd, wire, count);
}

// Answers what is due now or, with a delay, later.
static void advance(int fd) {
    Connection *c = &connections[fd];
    if (c->chunks_left < 0) {
        c->due_us = 0;
        send_whole(fd);
    } else {
        send_chunk(fd, c->chunks_left);
        if (!c->in) return;  // hung up meanwhile
        c->due_us = c->chunks_left == 0 ? 0 : now_us() + (c->chunks_left == 1 ? 0 : GAP_MS * 1000);
        c->chunks_left--;
    }
}

static void receive(int fd) {
    Connection *c = &connections[fd];
    int count = recv(fd, c->in + c->used, BUFFER - 1 - c->used, 0);
    if (count <= 0) {
        if (count == 0 || (errno != EAGAIN && errno != EINTR)) hang_up(fd);
        return;
    }
    c->used += count;
    c->in[c->used] = 0;
    char *end = strstr(c->in, "\r\n\r\n");
    if (!end) return;
    char *length = strcasestr(c->in, "content-length:");
    int body = length && length < end ? atoi(length + 15) : 0;
    int whole = (int)(end + 4 - c->in) + body;
    if (c->used < whole) return;
    char *delay = strstr(c->in, "/d");
    int is_stream = strstr(end, "\"stream\":true") || strstr(end, "\"stream\": true");
    c->chunks_left = is_stream ? TOKENS : -1;
    c->due_us = now_us() + (delay && delay < end ? atoi(delay + 2) : 0) * 1000LL;
    c->used = 0;
    if (c->due_us <= now_us()) advance(fd);
}

// When the next answer is due, in milliseconds; -1: none.
static int serve_due(void) {
    long long now = now_us(), next = -1;
    for (int fd = 0; fd <= highest; fd++) {
        while (connections[fd].due_us && connections[fd].due_us <= now) advance(fd);
        long long due = connections[fd].due_us;
        if (due && (next < 0 || due < next)) next = due;
    }
    return next < 0 ? -1 : next <= now ? 0 : (int)((next - now + 999) / 1000);
}

int main(int count, char **arguments) {
    int listener = socket(AF_INET, SOCK_STREAM, 0), one = 1, loop = epoll_create1(0);
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(count > 1 ? atoi(arguments[1]) : 8091),
                                  .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
    if (bind(listener, (struct sockaddr *)&address, sizeof address) || listen(listener, 1024)) {
        perror("listen");
        return 1;
    }
    epoll_ctl(loop, EPOLL_CTL_ADD, listener, &(struct epoll_event){.events = EPOLLIN, .data.fd = listener});
    for (;;) {
        struct epoll_event events[256];
        int ready = epoll_wait(loop, events, 256, serve_due());
        for (int i = 0; i < ready; i++) {
            int fd = events[i].data.fd;
            if (fd != listener) {
                if (connections[fd].in) receive(fd);
                continue;
            }
            int client = accept4(listener, 0, 0, SOCK_NONBLOCK);
            if (client < 0) continue;
            if (client >= MAX_FD) {
                close(client);
                continue;
            }
            setsockopt(client, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
            connections[client] = (Connection){.in = malloc(BUFFER)};
            if (client > highest) highest = client;
            epoll_ctl(loop, EPOLL_CTL_ADD, client, &(struct epoll_event){.events = EPOLLIN, .data.fd = client});
        }
    }
}
