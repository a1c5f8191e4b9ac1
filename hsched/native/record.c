/* The record: a line of text in each slot, the rest of the slot NUL. */
#include "shim.h"

#include <stdarg.h>
#include <stdio.h>
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

/* Write one slot whole.  A record that cannot be written reads as lost; the job goes on. */
void record_write(enum slot slot, const char *format, ...)
{
	char text[256] = {0};
	va_list values;
	va_start(values, format);
	vsnprintf(text, slots[slot].size, format, values);
	va_end(values);
	if (pwrite(RECORD_FD, text, slots[slot].size, slots[slot].offset) < 0)
		return;
}
