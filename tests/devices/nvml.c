/*
 * NVML, as far as hsched asks it, for machines without a GPU.  The tests compile this as
 * libnvidia-ml.so.1 and the real pynvml loads it.  What it tells stands in the file that
 * FAKE_NVML names, and is read at each call:
 *
 *   gpu UUID MEMORY [used=N] [reserved=N] [util=N] [temp=N] [lost] [refuses=CALL,CALL] [mig]
 *   slice UUID MEMORY [used=N]     a MIG slice of the GPU above
 *   compute PID MEMORY             a process on what stands above; its memory is used, too
 *   graphics PID MEMORY
 *   hangs CALL                     this call does not return
 *   fails CALL CODE                this call fails
 *
 * Memory is in MiB; a process's memory of -1 is one that NVML does not tell.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { OK = 0, UNINITIALIZED = 1, INVALID = 2, NOT_SUPPORTED = 3, NOT_FOUND = 6,
       INSUFFICIENT_SIZE = 7, GPU_IS_LOST = 15, MOST = 16 };

typedef unsigned long long u64;
typedef struct { unsigned pid; u64 memory; unsigned gpu_instance, compute_instance; } Info;
typedef struct { unsigned version; u64 total, reserved, free, used; } Memory2;
typedef struct { unsigned pid; long memory; int graphics; } Process;
typedef struct {
	char uuid[80], refuses[200];
	long total, used, reserved, util, temp;
	int parent, lost, mig, processes;
	Process process[MOST];
} Entry;

static Entry entries[MOST];
static int count;
static int initialized;

static void options(Entry *entry, char *words)
{
	for (char *word = strtok(words, " \n"); word; word = strtok(NULL, " \n")) {
		if (!strncmp(word, "used=", 5))
			entry->used = atol(word + 5);
		else if (!strncmp(word, "reserved=", 9))
			entry->reserved = atol(word + 9);
		else if (!strncmp(word, "util=", 5))
			entry->util = atol(word + 5);
		else if (!strncmp(word, "temp=", 5))
			entry->temp = atol(word + 5);
		else if (!strncmp(word, "refuses=", 8))
			snprintf(entry->refuses, sizeof entry->refuses, ",%s,", word + 8);
		else if (!strcmp(word, "lost"))
			entry->lost = 1;
		else if (!strcmp(word, "mig"))
			entry->mig = 1;
	}
}

static void begin(const char *uuid, long total, int parent, char *words)
{
	Entry *entry = &entries[count++];
	*entry = (Entry){ .total = total, .parent = parent, .temp = 40 };
	snprintf(entry->uuid, sizeof entry->uuid, "%s", uuid);
	options(entry, words);
}

/* Reads the file; returns what `call` must fail with, 0 for nothing. */
static int look(const char *call)
{
	char line[512], uuid[80], name[80];
	int code, result = OK, rest = 0, gpu = -1;
	long number, memory;
	const char *path = getenv("FAKE_NVML");
	FILE *file = path ? fopen(path, "r") : NULL;

	count = 0;
	while (file && fgets(line, sizeof line, file)) {
		if (sscanf(line, "gpu %79s %ld%n", uuid, &number, &rest) == 2) {
			gpu = count;
			begin(uuid, number, -1, line + rest);
		} else if (sscanf(line, "slice %79s %ld%n", uuid, &number, &rest) == 2) {
			begin(uuid, number, gpu, line + rest);
		} else if (sscanf(line, "%79s %ld %ld", name, &number, &memory) == 3 && count &&
			   entries[count - 1].processes < MOST) {
			Entry *entry = &entries[count - 1];
			entry->process[entry->processes++] =
				(Process){ (unsigned)number, memory, !strcmp(name, "graphics") };
			entry->used += memory > 0 ? memory : 0;
		} else if (sscanf(line, "hangs %79s", name) == 1 && !strcmp(name, call)) {
			for (;;)
				pause();
		} else if (sscanf(line, "fails %79s %d", name, &code) == 2 && !strcmp(name, call)) {
			result = code;
		}
	}
	if (file)
		fclose(file);
	return result;
}

static int find(Entry **entry, void *handle, const char *call)
{
	char word[100];
	long index = (long)handle - 1;
	int result = look(call);

	if (!initialized)
		return UNINITIALIZED;
	if (index < 0 || index >= count)
		return INVALID;
	*entry = &entries[index];
	snprintf(word, sizeof word, ",%s,", call);
	if ((*entry)->lost)
		return GPU_IS_LOST;
	return result ? result : strstr((*entry)->refuses, word) ? NOT_SUPPORTED : OK;
}

static int nth(int number, int parent, void **handle)
{
	for (int i = 0; i < count; i++)
		if (entries[i].parent == parent && number-- == 0) {
			*handle = (void *)(long)(i + 1);
			return OK;
		}
	return NOT_FOUND;
}

int nvmlInitWithFlags(unsigned flags)
{
	int result = look("Init");

	(void)flags;
	initialized = result == OK;
	return result;
}

int nvmlShutdown(void)
{
	initialized = 0;
	return OK;
}

const char *nvmlErrorString(int code)
{
	return code == GPU_IS_LOST ? "GPU is lost" : "an error of the fake";
}

int nvmlDeviceGetCount_v2(unsigned *found)
{
	int result = look("Count");

	*found = 0;
	for (int i = 0; i < count; i++)
		*found += entries[i].parent < 0;
	return initialized ? result : UNINITIALIZED;
}

int nvmlDeviceGetHandleByIndex_v2(unsigned index, void **handle)
{
	int result = look("HandleByIndex");

	return result ? result : nth((int)index, -1, handle);
}

int nvmlDeviceGetUUID(void *handle, char *buffer, unsigned size)
{
	Entry *entry;
	int result = find(&entry, handle, "UUID");

	if (!result)
		snprintf(buffer, size, "%s", entry->uuid);
	return result;
}

int nvmlDeviceGetName(void *handle, char *buffer, unsigned size)
{
	Entry *entry;
	int result = find(&entry, handle, "Name");

	if (!result)
		snprintf(buffer, size, "Fake %ld", entry->total);
	return result;
}

int nvmlDeviceGetMemoryInfo(void *handle, u64 *info)
{
	Entry *entry;
	int result = find(&entry, handle, "MemoryInfo");

	if (!result) {
		info[0] = (u64)entry->total << 20;
		info[1] = (u64)(entry->total - entry->used) << 20;
		info[2] = (u64)entry->used << 20;
	}
	return result;
}

/* Drivers that know of reserved memory have this one. */
int nvmlDeviceGetMemoryInfo_v2(void *handle, Memory2 *info)
{
	Entry *entry;
	int result = find(&entry, handle, "MemoryInfo");

	if (!result && !entry->reserved)
		return NOT_SUPPORTED;
	if (!result) {
		info->total = (u64)entry->total << 20;
		info->reserved = (u64)entry->reserved << 20;
		info->used = (u64)entry->used << 20;
		info->free = info->total - info->reserved - info->used;
	}
	return result;
}

int nvmlDeviceGetUtilizationRates(void *handle, unsigned *rates)
{
	Entry *entry;
	int result = find(&entry, handle, "UtilizationRates");

	if (!result)
		rates[0] = rates[1] = (unsigned)entry->util;
	return result;
}

int nvmlDeviceGetTemperature(void *handle, int sensor, unsigned *degrees)
{
	Entry *entry;
	int result = find(&entry, handle, "Temperature");

	(void)sensor;
	if (!result)
		*degrees = (unsigned)entry->temp;
	return result;
}

static int processes(void *handle, unsigned *room, Info *infos, int graphics, const char *call)
{
	Entry *entry;
	unsigned found = 0;
	int result = find(&entry, handle, call);

	if (result)
		return result;
	for (int i = 0; i < entry->processes; i++) {
		Process *process = &entry->process[i];
		if (process->graphics != graphics)
			continue;
		if (infos && found < *room)
			infos[found] = (Info){ process->pid, process->memory < 0 ? ~0ULL :
				(u64)process->memory << 20, ~0U, ~0U };
		found++;
	}
	result = found > (infos ? *room : 0) ? INSUFFICIENT_SIZE : OK;
	*room = found;
	return result;
}

int nvmlDeviceGetComputeRunningProcesses_v3(void *handle, unsigned *room, Info *infos)
{
	return processes(handle, room, infos, 0, "ComputeRunningProcesses");
}

int nvmlDeviceGetGraphicsRunningProcesses_v3(void *handle, unsigned *room, Info *infos)
{
	return processes(handle, room, infos, 1, "GraphicsRunningProcesses");
}

int nvmlDeviceGetMigMode(void *handle, unsigned *current, unsigned *pending)
{
	Entry *entry;
	int result = find(&entry, handle, "MigMode");

	if (!result)
		*current = *pending = (unsigned)entry->mig;
	return result;
}

int nvmlDeviceGetMaxMigDeviceCount(void *handle, unsigned *most)
{
	Entry *entry;
	int result = find(&entry, handle, "MaxMigDeviceCount");

	*most = 7;
	return result;
}

int nvmlDeviceGetMigDeviceHandleByIndex(void *handle, unsigned index, void **slice)
{
	Entry *entry;
	int result = find(&entry, handle, "MigDeviceHandleByIndex");

	return result ? result : nth((int)index, (int)(entry - entries), slice);
}
