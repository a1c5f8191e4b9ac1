/* Small files of the kernel, and the end of a cgroup v2 folder. */
#include "shim.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static int open_in(const char *folder, const char *file, int flags)
{
	char path[4096];
	if (snprintf(path, sizeof path, "%s/%s", folder, file) >= (int)sizeof path)
		return -1;
	return open(path, flags | O_CLOEXEC);
}

/* Write `text` to `folder`/`file`, which must exist; return whether it was taken. */
bool text_write(const char *folder, const char *file, const char *text)
{
	int fd = folder == NULL ? -1 : open_in(folder, file, O_WRONLY);
	if (fd < 0)
		return false;
	bool taken = write(fd, text, strlen(text)) >= 0;
	close(fd);
	return taken;
}

/* Record the peak of the whole tree, and remove the folder, once the tree is gone. */
void cgroup_end(const char *folder)
{
	char text[32] = {0};
	int fd = folder == NULL ? -1 : open_in(folder, "memory.peak", O_RDONLY);
	if (fd >= 0 && read(fd, text, sizeof text - 1) > 0)
		record_write(RECORD_FD, MEMORY, "memory %llu\n", strtoull(text, NULL, 10) / 1024);
	if (fd >= 0)
		close(fd);
	if (folder != NULL)
		rmdir(folder);
}
