/* The way to the warm process, and what is said on it. */
#include "thin.h"

#include "calls.h"

#include <linux/un.h>
#include <linux/utsname.h>
#include <sys/socket.h>

#ifndef HSCHED_BUILD
#define HSCHED_BUILD "----------------"
#endif

enum { PATH = 4096, GIVEN = STREAMS + 2 };

/* How long the warm process may take to begin, in seconds. */
static const int64_t PATIENCE[2] = {5, 0};

/* Write HSCHED_HOME as hsched/paths.py has it; return its length, PATH where it is too long. */
static size_t write_home(const struct command *command, char *path)
{
	static const char *const places[][2] = {
		{"HSCHED_HOME=", ""}, {"XDG_STATE_HOME=", "/hsched"}, {"HOME=", "/.local/state/hsched"}};
	for (size_t i = 0; i < sizeof places / sizeof *places; i++) {
		const char *value = variable(command, places[i][0]);
		if (value != NULL && *value != '\0')
			return append(path, PATH, append(path, PATH, 0, value), places[i][1]);
	}
	return PATH;
}

/* The folder of the warm processes: of all hosts' state this one's. */
static bool write_folder(const struct command *command, char *path)
{
	struct new_utsname host;
	if (CALL(SYS_uname, &host) != 0 || host.nodename[0] == '\0')
		return false;
	for (char *one = host.nodename; *one != '\0'; one++)
		if (*one == '/')
			*one = '_';
	size_t length = append(path, PATH, write_home(command, path), "/");
	length = append(path, PATH, length, host.nodename);
	return append(path, PATH, length, "/.warm") < PATH;
}

static int open_folder(const struct command *command)
{
	char path[PATH];
	struct statx found;
	if (!write_folder(command, path))
		return -1;
	int folder = (int)CALL(SYS_openat, AT_FDCWD, path,
	                       O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (folder < 0)
		return -1;
	if (CALL(SYS_statx, folder, "", AT_EMPTY_PATH, STATX_UID | STATX_MODE, &found) == 0 &&
	    found.stx_uid == (uint32_t)CALL(SYS_geteuid) && (found.stx_mode & 077) == 0)
		return folder;
	CALL(SYS_close, folder);
	return -1;
}

/* By way of the folder's descriptor, for an address has 107 bytes. */
static void write_address(struct sockaddr_un *address, int folder)
{
	char digits[12] = {0};
	size_t first = sizeof digits - 1;
	do {
		digits[--first] = (char)('0' + folder % 10);
	} while ((folder /= 10) > 0);
	memset(address, 0, sizeof *address);
	address->sun_family = AF_UNIX;
	char *path = address->sun_path;
	size_t size = sizeof address->sun_path;
	size_t length = append(path, size, 0, "/proc/self/fd/");
	append(path, size, append(path, size, length, digits + first), "/" HSCHED_BUILD);
}

/* Who listens is told by the kernel: pid, uid, gid. */
static bool is_ours(int link)
{
	int peer[3];
	int size = sizeof peer;
	return CALL(SYS_getsockopt, link, SOL_SOCKET, SO_PEERCRED, peer, &size) == 0 &&
	       peer[1] == (int)CALL(SYS_geteuid);
}

static int connect_in(int folder)
{
	struct sockaddr_un address;
	write_address(&address, folder);
	int link = (int)CALL(SYS_socket, AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (link < 0)
		return -1;
	CALL(SYS_setsockopt, link, SOL_SOCKET, SO_SNDTIMEO, PATIENCE, sizeof PATIENCE);
	if (CALL(SYS_connect, link, &address, sizeof address) == 0 && is_ours(link))
		return link;
	CALL(SYS_close, link);
	return -1;
}

/* Return a socket to the warm process of this user and this build, or -1. */
int link_open(const struct command *command)
{
	int folder = open_folder(command);
	if (folder < 0)
		return -1;
	int link = connect_in(folder);
	CALL(SYS_close, folder);
	return link;
}

/* Send the request: who we are, and the words. */
bool link_send(int link, const struct command *command)
{
	const char *parts[] = {(const char *)&command->request, command->text};
	size_t sizes[] = {sizeof command->request, command->request.size};
	for (int i = 0; i < 2; i++)
		while (sizes[i] > 0) {
			long sent = CALL(SYS_sendto, link, parts[i], sizes[i], MSG_NOSIGNAL, 0);
			if (sent <= 0)
				return false;
			parts[i] += sent;
			sizes[i] -= (size_t)sent;
		}
	return true;
}

/* Give the word to begin, with the streams, the working folder, and a pipe into which nobody
 * ever writes: what the kernel tells of its end it can tell for no other reason. */
bool link_begin(int link)
{
	union {
		char bytes[CMSG_SPACE(GIVEN * sizeof(int))];
		struct cmsghdr aligned;
	} control;
	struct iovec word = {(void *)"", 1};
	struct msghdr message = {.msg_iov = &word,
	                         .msg_iovlen = 1,
	                         .msg_control = control.bytes,
	                         .msg_controllen = sizeof control.bytes};
	int here = (int)CALL(SYS_openat, AT_FDCWD, ".", O_PATH | O_DIRECTORY | O_CLOEXEC);
	int life[2] = {-1, -1}; /* our end is closed when we are gone */
	CALL(SYS_pipe2, life, O_CLOEXEC);
	int given[GIVEN] = {0, 1, 2, here, life[0]};
	memset(control.bytes, 0, sizeof control.bytes);
	control.aligned.cmsg_level = SOL_SOCKET;
	control.aligned.cmsg_type = SCM_RIGHTS;
	control.aligned.cmsg_len = CMSG_LEN(sizeof given);
	memcpy(CMSG_DATA(&control.aligned), given, sizeof given);
	bool begun = here >= 0 && life[0] >= 0 && CALL(SYS_sendmsg, link, &message, MSG_NOSIGNAL) == 1;
	CALL(SYS_close, here);
	CALL(SYS_close, life[0]);
	return begun;
}

/* Take one reply and the descriptor that comes along; false where the other end is gone. */
bool link_receive(int link, struct reply *reply, int *descriptor)
{
	union {
		char bytes[CMSG_SPACE(sizeof(int))];
		struct cmsghdr aligned;
	} control;
	struct iovec text = {reply, sizeof *reply};
	struct msghdr message = {.msg_iov = &text,
	                         .msg_iovlen = 1,
	                         .msg_control = control.bytes,
	                         .msg_controllen = sizeof control.bytes};
	if (CALL(SYS_recvmsg, link, &message, MSG_CMSG_CLOEXEC | MSG_WAITALL) != sizeof *reply)
		return false;
	if (message.msg_controllen >= CMSG_LEN(sizeof(int)))
		memcpy(descriptor, CMSG_DATA(&control.aligned), sizeof *descriptor);
	return true;
}
