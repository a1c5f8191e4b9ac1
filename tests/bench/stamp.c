/* stamp FILE MS: note when it began and ended, in microseconds since the epoch, MS apart. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

static long long now(void)
{
	struct timespec t;
	clock_gettime(CLOCK_REALTIME, &t);
	return t.tv_sec * 1000000LL + t.tv_nsec / 1000;
}

int main(int argc, char **argv)
{
	long long begin = now();
	if (argc != 3)
		return 2;
	int file = open(argv[1], O_WRONLY | O_CREAT | O_APPEND, 0600);
	if (file < 0)
		return 1;
	struct timespec pause = {0, atol(argv[2]) * 1000000L};
	nanosleep(&pause, NULL);
	char line[64];
	int length = snprintf(line, sizeof line, "%lld %lld\n", begin, now());
	return write(file, line, (size_t)length) == length ? 0 : 1;
}
