/* When the command must be Python itself and not a child of another process. */
#include "thin.h"

#include <asm/ioctls.h>

#include "calls.h"

/* What would be loaded into Python, or would change it, cannot be put in afterwards. */
static bool is_environment_special(char **env)
{
	for (; *env != NULL; env++)
		if (starts_with(*env, "PYTHON") || starts_with(*env, "LD_PRELOAD=") ||
		    starts_with(*env, "LD_AUDIT="))
			return true;
	return false;
}

/* A file that is another one for another process, or the terminal that is not its own. */
static bool names_process_file(const char *word)
{
	return contains(word, "/dev/fd") || contains(word, "/proc/self") ||
	       contains(word, "/proc/thread-self") || contains(word, "/dev/tty");
}

static bool is_dash(const char *word)
{
	size_t length = strlen(word);
	return length > 0 && word[length - 1] == '-' && (length == 1 || word[length - 2] == '=');
}

/* Words that need the process to be this one; `-` does where a person types the input,
 * because the job control of the terminal would not reach the one who reads it. */
static bool are_words_special(char **argv)
{
	int group;
	bool typed = CALL(SYS_ioctl, 0, TIOCGPGRP, &group) == 0;
	for (; *argv != NULL; argv++)
		if (names_process_file(*argv) || (typed && is_dash(*argv)))
			return true;
	return false;
}

/* In the background of a terminal, which stops who reads from it or writes to it. */
static bool is_in_background(void)
{
	int group, own = (int)CALL(SYS_getpgid, 0);
	for (int stream = 0; stream < STREAMS; stream++)
		if (CALL(SYS_ioctl, stream, TIOCGPGRP, &group) == 0 && group != own)
			return true;
	return false;
}

static bool is_set_id(void)
{
	return CALL(SYS_getuid) != CALL(SYS_geteuid) || CALL(SYS_getgid) != CALL(SYS_getegid);
}

static bool is_stream_closed(void)
{
	for (int stream = 0; stream < STREAMS; stream++)
		if (CALL(SYS_fcntl, stream, F_GETFD) < 0)
			return true;
	return false;
}

static bool is_turned_off(const struct command *command)
{
	const char *value = variable(command, "HSCHED_THIN=");
	return value != NULL && value[0] == '0' && value[1] == '\0';
}

bool plain_only(const struct command *command)
{
	return is_turned_off(command) || is_environment_special(command->env) ||
	       are_words_special(command->argv) || is_stream_closed() || is_in_background() ||
	       is_set_id();
}
