/* Standing in for a command that runs as a child of the warm process.
 *
 * What a shell and a terminal do to this process reaches the command, and what becomes of
 * the command becomes of this process: its status, or its signal.
 */
#include "thin.h"

#include "calls.h"

#include <linux/poll.h>
#include <linux/resource.h>
#include <linux/signal.h>
#include <linux/signalfd.h>
#include <linux/time.h>

enum { BLOCK = 0, UNBLOCK = 1 };

static uint64_t bit(int number)
{
	return (uint64_t)1 << (number - 1);
}

static void set_mask(int how, uint64_t signals)
{
	CALL(SYS_rt_sigprocmask, how, &signals, 0, sizeof signals);
}

static void send_signal(int child, int number)
{
	CALL(SYS_pidfd_send_signal, child, number, 0, 0);
}

static void raise_signal(int number)
{
	CALL(SYS_kill, CALL(SYS_getpid), number);
}

/* Die as the command did; the one core that there may be is the command's. */
static int die_by(int number)
{
	uintptr_t default_action[8] = {0};
	uint64_t no_core[2] = {0, 0};
	CALL(SYS_prlimit64, 0, RLIMIT_CORE, no_core, 0);
	CALL(SYS_rt_sigaction, number, default_action, 0, 8);
	raise_signal(number);
	set_mask(UNBLOCK, bit(number));
	return 128 + number;
}

/* The terminal's Ctrl-Z: the command is in another session, where TSTP does nothing. */
static void stop(int child)
{
	send_signal(child, SIGSTOP);
	raise_signal(SIGTSTP);
	set_mask(UNBLOCK, bit(SIGTSTP)); /* here we stand still until CONT */
	set_mask(BLOCK, bit(SIGTSTP));
	send_signal(child, SIGCONT);
}

/* Pass on one signal; return its number, 0 for one that ends no command. */
static int forward(int signals, int child)
{
	struct signalfd_siginfo came;
	if (CALL(SYS_read, signals, &came, sizeof came) != sizeof came)
		return 0;
	int number = (int)came.ssi_signo;
	if (number == SIGTSTP)
		stop(child);
	else
		send_signal(child, number);
	return number == SIGTSTP || number == SIGWINCH ? 0 : number;
}

static int end_as_told(const struct reply *reply)
{
	int signal = reply->value & 0x7f; /* of a wait status */
	if (reply->kind == STATUS)
		return reply->value;
	if (reply->kind == REFUSED)
		return BE_PYTHON;
	return signal == 0 ? reply->value >> 8 & 0xff : die_by(signal);
}

/* The command is gone, and the warm process with it, who would have known how. */
static int end_untold(int forwarded)
{
	if (forwarded != 0)
		return die_by(forwarded);
	say("hsched: the process that ran this command was killed; what it did is not known\n");
	return 1;
}

/* Pass signals on until there is an end; return what becomes of us. */
static int attend(int link, int child, int signals)
{
	struct pollfd watched[] = {{link, POLLIN, 0}, {signals, POLLIN, 0}};
	struct reply reply;
	int forwarded = 0, none = -1;
	for (;;) {
		CALL(SYS_ppoll, watched, 2, 0, 0, 8);
		if (watched[1].revents != 0) {
			int number = forward(signals, child);
			forwarded = number != 0 ? number : forwarded;
		}
		if (watched[0].revents != 0)
			return link_receive(link, &reply, &none) ? end_as_told(&reply)
			                                         : end_untold(forwarded);
	}
}

/* Be the command until it ends; return its exit status, or BE_PYTHON. */
int proxy(int link, int child, const struct request *request)
{
	uint64_t passed = bit(SIGHUP) | bit(SIGINT) | bit(SIGQUIT) | bit(SIGTERM) | bit(SIGTSTP) |
	                  bit(SIGWINCH);
	passed &= ~(request->ignored | request->blocked);
	set_mask(BLOCK, passed);
	int signals = (int)CALL(SYS_signalfd4, -1, &passed, sizeof passed, O_CLOEXEC);
	int status = attend(link, child, signals);
	if (status == BE_PYTHON)
		set_mask(UNBLOCK, passed);
	return status;
}
