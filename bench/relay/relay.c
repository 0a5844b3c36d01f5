/* The kernel's limit: a relay that does nothing but relay. One socket per leg,
 * epoll, one recvfrom and one sendto per datagram; a leg learns where its phone
 * is from the last datagram that came in, as every relay does behind a NAT.
 *
 *     relay CALLS
 *
 * prints "PORT PORT" for each call, then "ready", and relays until it is killed
 * or standard input ends. Loopback only. */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

enum { MOST_CALLS = 4000, BATCH = 256, DATAGRAM = 2048 };

struct leg {
	int fd;
	unsigned short port;
	struct sockaddr_in phone; /* sin_port 0: not heard yet */
	struct leg *other;
};

static void must(int ok, const char *what)
{
	if (ok)
		return;
	perror(what);
	exit(1);
}

static void open_leg(struct leg *l, int ep)
{
	struct sockaddr_in at = {.sin_family = AF_INET};
	struct epoll_event ev = {.events = EPOLLIN, .data.ptr = l};
	socklen_t n = sizeof at;

	at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	l->fd = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	must(l->fd >= 0, "socket");
	must(bind(l->fd, (struct sockaddr *)&at, sizeof at) == 0, "bind");
	must(getsockname(l->fd, (struct sockaddr *)&at, &n) == 0, "getsockname");
	l->port = ntohs(at.sin_port);
	must(epoll_ctl(ep, EPOLL_CTL_ADD, l->fd, &ev) == 0, "epoll_ctl");
}

/* One datagram for each readable socket: epoll tells of the rest again. */
static void relay(struct leg *l)
{
	static char buf[DATAGRAM];
	struct sockaddr_in from;
	socklen_t size = sizeof from;
	ssize_t n = recvfrom(l->fd, buf, sizeof buf, 0, (struct sockaddr *)&from, &size);

	if (n < 0)
		return; /* a phone's port is closed, or nothing is left */
	l->phone = from;
	if (l->other->phone.sin_port != 0)
		(void)sendto(l->other->fd, buf, (size_t)n, 0, (struct sockaddr *)&l->other->phone, sizeof l->other->phone);
}

int main(int argc, char **argv)
{
	int calls = argc == 2 ? atoi(argv[1]) : 0;
	int ep = epoll_create1(EPOLL_CLOEXEC);
	struct epoll_event ready[BATCH], input = {.events = EPOLLIN | EPOLLHUP};
	struct rlimit files;
	struct leg *legs;

	must(ep >= 0, "epoll_create1");
	if (calls < 1 || calls > MOST_CALLS) {
		fprintf(stderr, "relay CALLS, 1 to %d\n", MOST_CALLS);
		return 2;
	}
	must(getrlimit(RLIMIT_NOFILE, &files) == 0, "getrlimit");
	files.rlim_cur = files.rlim_max;
	must(setrlimit(RLIMIT_NOFILE, &files) == 0, "setrlimit");

	legs = calloc((size_t)calls * 2, sizeof *legs);
	must(legs != NULL, "calloc");
	for (int i = 0; i < calls; i++) {
		struct leg *a = &legs[2 * i], *b = a + 1;
		open_leg(a, ep);
		open_leg(b, ep);
		a->other = b;
		b->other = a;
		printf("%d %d\n", a->port, b->port);
	}
	must(epoll_ctl(ep, EPOLL_CTL_ADD, STDIN_FILENO, &input) == 0, "stdin");
	printf("ready\n");
	fflush(stdout);

	for (;;) {
		int n = epoll_wait(ep, ready, BATCH, -1);
		must(n >= 0 || errno == EINTR, "epoll_wait");
		for (int i = 0; i < n; i++) {
			if (ready[i].data.ptr == NULL)
				return 0; /* whoever started us is gone */
			relay(ready[i].data.ptr);
		}
	}
}
