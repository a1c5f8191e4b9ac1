/* hsched-shim --nursery: shims without an exec.
 *
 * To load a program costs several times what a fork does, so the broker loads this
 * one once and has it fork a shim for each job.  A shim born here keeps the contract
 * in shim.c, and its parent is the broker, as if the broker had spawned it.  It may
 * be born while the decision to start its job is still on its way to the disk: it
 * waits for a word, and without it ends and leaves no trace.  When its job is over it
 * may be given another: that saves a fork, an exit, and what the broker does for both.
 *
 * Spawned with all signals blocked, with /dev/null as 0, 1 and 2, as 3 one end of
 * a pair of Unix sockets of type SOCK_SEQPACKET, and as 4 where offers come from
 * (offer.c).  A REQUEST is the ID of a job, with
 * three descriptors: its plan, its record, and its end of a line (line.c).
 * The REPLY is the pid of the shim, or a negative errno, as a C int.  The nursery
 * ends when the other end is closed and all requests are answered.
 */
#include "shim.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

enum { SOCKET_FD = 3, FOR_SHIMS_FD = 4, ID_SIZE = 64 };

enum { PLAN, RECORD, LINE, GIVEN };

struct request {
	char id[ID_SIZE];
	int given[GIVEN];
};

static void close_given(const int *given, size_t count)
{
	for (size_t i = 0; i < count; i++)
		close(given[i]);
}

/* Take the descriptors of a message; the kernel brings fewer where there is no room. */
static int take_given(struct msghdr *message, struct request *request)
{
	struct cmsghdr *head = CMSG_FIRSTHDR(message);
	if (head == NULL || head->cmsg_type != SCM_RIGHTS)
		return -EMFILE;
	size_t size = head->cmsg_len - CMSG_LEN(0);
	memcpy(request->given, CMSG_DATA(head), size);
	if (size == sizeof request->given)
		return 1;
	close_given(request->given, size / sizeof(int));
	return -EMFILE;
}

/* Return 1 for a request, 0 for the end, and a negative errno where it cannot be met. */
static int receive(struct request *request)
{
	union {
		char bytes[CMSG_SPACE(GIVEN * sizeof(int))];
		struct cmsghdr aligned;
	} control;
	struct iovec text = {request->id, sizeof request->id - 1};
	struct msghdr message = {.msg_iov = &text,
	                         .msg_iovlen = 1,
	                         .msg_control = control.bytes,
	                         .msg_controllen = sizeof control.bytes};
	ssize_t size = recvmsg(SOCKET_FD, &message, MSG_CMSG_CLOEXEC);
	if (size <= 0)
		return 0;
	request->id[size] = '\0';
	return take_given(&message, request);
}

static struct title title;

/* Show the job in the list of processes.  A title whose area does not end in a NUL
 * is read by the kernel up to its first NUL, as for setproctitle(3). */
void title_show(const char *words)
{
	size_t length = strlen(words);
	if (length > ID_SIZE || title.size <= sizeof "hsched-shim " + ID_SIZE)
		return;
	memset(title.start, '\0', title.size);
	title.start[title.size - 1] = ' ';
	memcpy(stpcpy(title.start, "hsched-shim "), words, length);
}

/* Be the shim of one job, with what the contract gives it as 3 and 4. */
_Noreturn static void become_shim(const struct request *request)
{
	int high[GIVEN]; /* above those that are about to be overwritten */
	for (int i = 0; i < GIVEN; i++)
		if ((high[i] = fcntl(request->given[i], F_DUPFD, OFFERS_FD + 1)) < 0)
			_exit(1);
	dup2(FOR_SHIMS_FD, OFFERS_FD);
	dup2(high[PLAN], PLAN_FD);
	dup2(high[RECORD], RECORD_FD);
	dup2(high[LINE], LINE_FD);
	title_show(request->id);
	shim_run(true);
	_exit(0);
}

/* Fork a sibling: a shim is a child of whoever started the nursery. */
static int give_birth(const struct request *request)
{
	long pid = syscall(SYS_clone, CLONE_PARENT | SIGCHLD, NULL, NULL, NULL, 0);
	if (pid == 0)
		become_shim(request);
	return pid < 0 ? -errno : (int)pid;
}

_Noreturn void nursery_run(struct title words)
{
	struct request request;
	close_from(FOR_SHIMS_FD + 1);
	title = words;
	title_show("--nursery"); /* without the word that only made room */
	for (int reply; (reply = receive(&request)) != 0;) {
		if (reply > 0) {
			reply = give_birth(&request);
			close_given(request.given, GIVEN);
		}
		send(SOCKET_FD, &reply, sizeof reply, MSG_NOSIGNAL); /* the broker may be gone */
	}
	_exit(0);
}
