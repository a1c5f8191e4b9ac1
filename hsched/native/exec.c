/* Which file a command is, and how it is run: a shell's rules, with two of our own.
 *
 * A name without a slash is looked up in the job's own PATH, then in its
 * working folder.  What has no "#!" but looks like text is run by /bin/sh; so is
 * a text file in the working folder that lacks its x bit.
 */
#include "shim.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char *join(const char *folder, size_t length, const char *name)
{
	char *path = malloc(length + strlen(name) + 3);
	if (path == NULL)
		return NULL;
	memcpy(path, length == 0 ? "." : folder, length == 0 ? 1 : length);
	length += length == 0;
	path[length] = '/';
	strcpy(path + length + 1, name);
	return path;
}

/* A regular file that can be read, without a NUL in its first 512 bytes. */
static bool is_text(const char *path)
{
	struct stat file;
	char head[512];
	if (stat(path, &file) != 0 || !S_ISREG(file.st_mode))
		return false;
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t size = fd < 0 ? -1 : read(fd, head, sizeof head);
	if (fd >= 0)
		close(fd);
	return size >= 0 && memchr(head, '\0', (size_t)size) == NULL;
}

static int exec_script(const struct plan *plan, const char *path)
{
	char **argv = calloc(plan->argc + 2, sizeof *argv);
	char *named = *path == '-' ? join("", 0, path) : strdup(path); /* no option of sh */
	if (argv == NULL || named == NULL)
		return ENOMEM;
	argv[0] = "/bin/sh";
	argv[1] = named;
	memcpy(argv + 2, plan->argv + 1, (plan->argc - 1) * sizeof *argv);
	execve(argv[0], argv, plan->env);
	return errno;
}

static int exec_file(const struct plan *plan, const char *path)
{
	execve(path, plan->argv, plan->env);
	return errno == ENOEXEC && is_text(path) ? exec_script(plan, path) : errno;
}

static const char *search_path(const struct plan *plan)
{
	for (char **variable = plan->env; *variable != NULL; variable++)
		if (strncmp(*variable, "PATH=", 5) == 0)
			return *variable + 5;
	return "/usr/local/bin:/usr/bin:/bin";
}

/* Whether another folder may hold what this one does not. */
static bool goes_on(int error)
{
	return error == ENOENT || error == ENOTDIR || error == EACCES;
}

static int exec_in(const struct plan *plan, const char *folder, size_t length)
{
	char *path = join(folder, length, plan->argv[0]);
	int error = path == NULL ? ENOMEM : exec_file(plan, path);
	free(path);
	return error;
}

static int exec_in_cwd(const struct plan *plan)
{
	char *path = join("", 0, plan->argv[0]);
	if (path == NULL)
		return ENOMEM;
	int error = exec_file(plan, path);
	if (error == EACCES && is_text(path))
		error = exec_script(plan, path);
	free(path);
	return error;
}

static int exec_found(const struct plan *plan)
{
	int telling = ENOENT;
	for (const char *folder = search_path(plan); folder != NULL;) {
		const char *end = strchrnul(folder, ':');
		int error = exec_in(plan, folder, (size_t)(end - folder));
		if (!goes_on(error))
			return error;
		if (error == EACCES)
			telling = EACCES;
		folder = *end == ':' ? end + 1 : NULL;
	}
	int error = exec_in_cwd(plan);
	return error == ENOENT || error == ENOTDIR ? telling : error;
}

/* Become the command; return the most telling errno if that cannot be. */
int exec_command(const struct plan *plan)
{
	if (plan->shell != NULL) {
		char *argv[] = {"/bin/sh", "-c", "--", plan->shell, NULL};
		execve(argv[0], argv, plan->env);
		return errno;
	}
	if (*plan->argv[0] == '\0')
		return ENOENT;
	return strchr(plan->argv[0], '/') != NULL ? exec_file(plan, plan->argv[0]) : exec_found(plan);
}
