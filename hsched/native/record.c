/* The record: a line of text in each slot, the rest of the slot NUL. */
#include "shim.h"

#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static const struct {
	off_t offset;
	size_t size;
} slots[] = {
	[STARTED] = {0, 128},
	[COMMAND] = {128, 64},
	[ENDING] = {192, 256},
	[MEMORY] = {448, 64},
};

/* Read before the nursery forks: it is the same for all shims. */
static char boot_id[64] = "-";

void record_know_boot(void)
{
	int fd = open("/proc/sys/kernel/random/boot_id", O_RDONLY | O_CLOEXEC);
	ssize_t size = fd < 0 ? -1 : read(fd, boot_id, sizeof boot_id - 1);
	if (fd >= 0)
		close(fd);
	if (size > 0)
		boot_id[strcspn(boot_id, "\n")] = '\0';
}

/* Say whose record it is, by its `name` too, where it has one in its plan; return whether
 * that could be written. */
bool record_started(int record, const struct process *self, const char *name)
{
	return record_write(record, STARTED, "started v1 %d %llu %s%s%s\n", (int)getpid(),
	                    self->start_time, boot_id, name == NULL ? "" : " ",
	                    name == NULL ? "" : name);
}

/* Write one slot whole.  A record that cannot be written reads as lost; the job goes on. */
bool record_write(int record, enum slot slot, const char *format, ...)
{
	char text[256] = {0};
	va_list values;
	va_start(values, format);
	vsnprintf(text, slots[slot].size, format, values);
	va_end(values);
	ssize_t size = (ssize_t)slots[slot].size;
	return pwrite(record, text, slots[slot].size, slots[slot].offset) == size;
}
