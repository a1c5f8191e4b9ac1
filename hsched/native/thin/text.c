/* The little that is done with text. */
#include "thin.h"

#include "calls.h"

bool starts_with(const char *text, const char *head)
{
	while (*head != '\0')
		if (*text++ != *head++)
			return false;
	return true;
}

bool contains(const char *text, const char *part)
{
	for (; *text != '\0'; text++)
		if (starts_with(text, part))
			return true;
	return false;
}

/* Put `text` behind the first `length` bytes of `to`; return the new length, or `size`
 * where it does not fit. */
size_t append(char *to, size_t size, size_t length, const char *text)
{
	for (; length < size; length++, text++)
		if ((to[length] = *text) == '\0')
			return length;
	return size;
}

void say(const char *text)
{
	CALL(SYS_write, 2, text, strlen(text));
}
