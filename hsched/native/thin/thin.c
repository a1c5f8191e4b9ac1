/* The short h* commands, started at the speed of C.
 *
 * This program stands under the name of each of them (hsubmit, hjobs, ...).  It parses
 * nothing.  It hands its words, environment, working folder, umask, limits, signals and
 * streams to the warm process of this user and build (hsched/warm), which forks a child
 * that becomes the command, and stays until that has ended: it passes signals on, stops
 * and continues with it, and ends as it does.  When this program is killed, the child is.
 *
 * Wherever that cannot be, or could be told from the command itself, it becomes that:
 * `hsched-python NAME ARG...`, which stands in the same folder.
 *
 * The streams follow, and with them the word to begin, once the child has said that it is
 * there.  So a request runs once, also where this program has lost patience meanwhile, and
 * a warm process that hangs keeps nobody's pipe open.
 */
#include "thin.h"

#include "calls.h"

#include <linux/limits.h>
#include <linux/poll.h>
#include <linux/signal.h>

enum { PATIENCE_S = 5 };

int main(int argc, char **argv, char **env);

/* Cut `path` behind its last slash; return the name that stood there. */
static const char *split(char *path, char *name)
{
	size_t slash = strlen(path);
	while (slash > 0 && path[slash - 1] != '/')
		slash--;
	append(name, PATH_MAX, 0, path + slash);
	path[slash] = '\0';
	for (char *one = name; *one != '\0'; one++)
		if (*one == ' ')
			*one = '\0'; /* " (deleted)", by an upgrade */
	return name;
}

/* Become the command in Python; return a status where there is no such program. */
static int become_python(const struct command *command, int argc)
{
	char path[PATH_MAX + 16], name[PATH_MAX];
	char *words[argc + 2];
	long length = CALL(SYS_readlinkat, AT_FDCWD, "/proc/self/exe", path, PATH_MAX - 1);
	path[length > 0 ? length : 0] = '\0';
	words[0] = (char *)"hsched-python";
	words[1] = (char *)split(path, name);
	for (int i = 1; i <= argc; i++)
		words[i + 1] = command->argv[i];
	append(path, sizeof path, strlen(path), words[0]);
	CALL(SYS_execve, path, words, command->env);
	say(name);
	say(": cannot run ");
	say(path);
	say("; install hsched again\n");
	return 127;
}

/* Have a child made that waits for the word to begin; return its pidfd, or -1. */
static int await_child(int link, const struct command *command)
{
	int64_t left[2] = {PATIENCE_S, 0};
	struct pollfd watched = {link, POLLIN, 0};
	struct reply reply = {REFUSED, 0};
	int child = -1;
	if (!link_send(link, command) || CALL(SYS_ppoll, &watched, 1, left, 0, 8) <= 0)
		return -1;
	return link_receive(link, &reply, &child) && reply.kind == READY ? child : -1;
}

/* Have the command run by the warm process; false where nobody runs it. */
static bool run_warm(struct command *command, int *status)
{
	if (plain_only(command) || !gather(command))
		return false;
	int link = link_open(command);
	int child = link < 0 ? -1 : await_child(link, command);
	if (child >= 0 && link_begin(link))
		*status = proxy(link, child, &command->request);
	else
		*status = BE_PYTHON;
	if (link >= 0)
		CALL(SYS_close, link);
	return *status != BE_PYTHON;
}

int main(int argc, char **argv, char **env)
{
	struct command command = {.argv = argv, .env = env};
	int status;
	if (argc > 0 && run_warm(&command, &status))
		return status;
	return become_python(&command, argc);
}
