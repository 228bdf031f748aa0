/*
 * Runs a program for macOS (Mach-O) of this processor on Linux, for the tests of the layer's build for macOS:
 * loader PROGRAM ARGUMENT... It maps the program and the libraries of DYLD_INSERT_LIBRARIES as dyld does
 * (Mach-O file format: mach-o/loader.h), binds the names of libSystem to the shims beside this file or else
 * to glibc, puts the inserted libraries' __interpose pairs into the program's binds, runs initialisers and
 * main. It is no macOS: numbers and structures are translated by the shims, the kernel is Linux.
 * MACHO_WITHOUT: the name of a call whose pairs are passed over.
 */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "image.h"
#include "shims.h"

#define MAGIC 0xfeedfacfu
#define SEGMENT 0x19u
#define DYLD_INFO_ONLY 0x80000022u
#define MAIN 0x80000028u
#define PAIRS 1024
#define PAGES 65536u

enum section { THREAD_REGULAR = 0x11, THREAD_ZERO = 0x12, THREAD_VARIABLES = 0x13, INITIALISERS = 9 };

/* A hook, and the name of the call that it stands for. */
static struct {
	const char *name;
	uint64_t hook;
} pairs[PAIRS];
static int pair_count;
static struct image images[4];
static int image_count;
const char *macho_program, *macho_run;

__attribute__((noreturn)) static void give_up(const char *what, const char *which)
{
	fprintf(stderr, "macho loader: %s %s\n", what, which);
	_exit(99);
}

/* A call that neither the shims nor glibc have fails with ENOSYS. */
static long missing(void)
{
	errno = ENOSYS;
	return -1;
}

/* "_open$NOCANCEL" is glibc's "open". */
static void *plain(const char *name)
{
	char cut[256];

	snprintf(cut, sizeof(cut), "%s", name[0] == '_' ? name + 1 : name);
	cut[strcspn(cut, "$")] = 0;
	return dlsym(RTLD_DEFAULT, cut);
}

static const struct shim *shim_of(const char *name)
{
	const struct shim *const tables[] = { file_shims, socket_shims, name_shims, process_shims, stream_shims };
	size_t length = strcspn(name, "$");

	for (int i = 0; i < 5; i++)
		for (const struct shim *one = tables[i]; one->name; one++)
			if (strlen(one->name) == length && strncmp(one->name, name, length) == 0)
				return one;
	return NULL;
}

static void *libsystem(const char *name)
{
	const struct shim *shim = shim_of(name);
	void *found = shim ? shim->call : plain(name);

	if (!found && getenv("MACHO_TRACE"))
		fprintf(stderr, "macho loader: nothing for %s\n", name);
	return found ? found : (void *)missing;
}

/* What the program calls by this name. */
static void *interposed(const char *name)
{
	for (int i = 0; i < pair_count; i++)
		if (strcmp(pairs[i].name, name) == 0)
			return (void *)pairs[i].hook;
	return NULL;
}

void *macho_symbol(const char *name)
{
	char full[256];
	const struct shim *shim;
	void *found;

	snprintf(full, sizeof(full), "_%s", name);
	found = interposed(full);
	if (found || strchr(name, '$'))
		return found;
	shim = shim_of(full);
	return shim ? shim->call : plain(full);
}

const char *macho_image_at(const void *address)
{
	for (int i = 0; i < image_count; i++)
		if ((const uint8_t *)address >= images[i].base && (const uint8_t *)address < images[i].base + images[i].size)
			return images[i].path;
	return NULL;
}

void macho_bind(struct image *image, uint8_t *place, const char *name, int64_t addend)
{
	const uint8_t *first = image->base + image->interpose.start;
	void *value = image->inserted ? NULL : interposed(name);

	if (!value)
		value = libsystem(name);
	*(uint64_t *)place = (uint64_t)value + (uint64_t)addend;
	/* The second word of a pair: the hook is the first, and rebased already. */
	if (image->inserted && place >= first && place < first + image->interpose.size && pair_count < PAIRS) {
		const char *without = getenv("MACHO_WITHOUT");
		size_t length = strcspn(name + 1, "$");

		if (without && strlen(without) == length && memcmp(without, name + 1, length) == 0)
			return;
		pairs[pair_count].name = name;
		pairs[pair_count++].hook = *(uint64_t *)(place - 8);
	}
}

static uint64_t word64(const uint8_t *at)
{
	uint64_t value;

	memcpy(&value, at, sizeof(value));
	return value;
}

static uint32_t word32(const uint8_t *at)
{
	uint32_t value;

	memcpy(&value, at, sizeof(value));
	return value;
}

static void read_sections(struct image *image, const uint8_t *command)
{
	for (uint32_t i = 0; i < word32(command + 64); i++) {
		const uint8_t *section = command + 72 + 80 * i;
		struct range range = { word64(section + 32) - image->lowest, word64(section + 40) };
		uint32_t type = word32(section + 64) & 0xff;

		if (strncmp((const char *)section, "__interpose", 16) == 0)
			image->interpose = range;
		else if (type == INITIALISERS)
			image->initialisers = range;
		else if (type == THREAD_VARIABLES)
			image->variables = range;
		else if (type == THREAD_REGULAR || type == THREAD_ZERO) {
			if (image->template.size == 0)
				image->template.start = range.start;
			image->template.size = range.start + range.size - image->template.start;
		}
	}
}

static void map_segments(struct image *image)
{
	const uint8_t *command = image->file + 32;

	for (uint32_t i = 0; i < word32(image->file + 16); i++, command += word32(command + 4)) {
		if (word32(command) == DYLD_INFO_ONLY)
			image->info = (const uint32_t *)command;
		else if (word32(command) == MAIN)
			image->entry = word64(command + 8);
		if (word32(command) != SEGMENT)
			continue;
		image->segments[image->segment_count++] = word64(command + 24) - image->lowest;
		if (strcmp((const char *)command + 8, "__PAGEZERO") == 0)
			continue;
		memcpy(image->base + word64(command + 24) - image->lowest, image->file + word64(command + 40),
		       word64(command + 48));
		read_sections(image, command);
	}
}

static void measure(struct image *image)
{
	const uint8_t *command = image->file + 32;
	uint64_t end = 0;

	image->lowest = ~0ull;
	for (uint32_t i = 0; i < word32(image->file + 16); i++, command += word32(command + 4)) {
		uint64_t start = word64(command + 24), size = word64(command + 32);

		if (word32(command) != SEGMENT || strcmp((const char *)command + 8, "__PAGEZERO") == 0)
			continue;
		image->lowest = start < image->lowest ? start : image->lowest;
		end = start + size > end ? start + size : end;
	}
	image->size = end - image->lowest;
}

/* Each thread's copy of an image's variables, made when it is first asked for. */
__attribute__((used)) void *macho_thread_copy(const struct image *image)
{
	void *copy = pthread_getspecific(image->key);

	if (!copy) {
		copy = calloc(1, image->template.size + 16);
		memcpy(copy, image->base + image->template.start, image->template.size);
		pthread_setspecific(image->key, copy);
	}
	return copy;
}

/*
 * A thread variable's descriptor: the function that finds it, which saves every register; a word; where it
 * lies.
 */
struct variable {
	void (*find)(void);
	const struct image *image;
	uint64_t offset;
};

void *macho_thread_copy(const struct image *image);
void macho_thread_variable(void);

static void lead_variables(struct image *image)
{
	struct variable *all = (struct variable *)(image->base + image->variables.start);

	if (image->variables.size == 0)
		return;
	pthread_key_create(&image->key, free);
	for (uint64_t i = 0; i < image->variables.size / sizeof(*all); i++) {
		all[i].find = macho_thread_variable;
		all[i].image = image;
	}
}

static void load(const char *path, bool inserted)
{
	struct image *image = &images[image_count++];
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	struct stat status;

	image->path = path;
	image->inserted = inserted;
	if (fd < 0 || fstat(fd, &status) < 0)
		give_up("cannot read", path);
	image->file = mmap(NULL, (size_t)status.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
	close(fd);
	if (image->file == MAP_FAILED || word32(image->file) != MAGIC)
		give_up("no Mach-O file:", path);
	measure(image);
	image->base = mmap(NULL, image->size + PAGES, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	image->base = (uint8_t *)(((uint64_t)image->base + PAGES - 1) & ~(uint64_t)(PAGES - 1));
	map_segments(image);
	if (!image->info)
		give_up("no dyld information in", path);
	macho_rebase(image, image->file + image->info[2], image->file + image->info[2] + image->info[3]);
	macho_bind_all(image, image->file + image->info[4], image->file + image->info[4] + image->info[5], false);
	macho_bind_all(image, image->file + image->info[8], image->file + image->info[8] + image->info[9], true);
	lead_variables(image);
	__builtin___clear_cache((char *)image->base, (char *)image->base + image->size);
	for (uint64_t i = 0; i < image->initialisers.size / 8; i++)
		((void (*)(void))word64(image->base + image->initialisers.start + 8 * i))();
}

int main(int count, char **arguments)
{
	const char *inserted = getenv("DYLD_INSERT_LIBRARIES");
	const struct image *program;

	macho_run = strdup(getenv("MACHO_RUN") ? getenv("MACHO_RUN") : "");
	if (count < 2)
		give_up("usage: loader PROGRAM ARGUMENT...", "");
	macho_program = realpath(arguments[1], NULL);
	if (!macho_program)
		give_up("cannot find", arguments[1]);
	if (inserted && *inserted) {
		char *list = strdup(inserted);

		for (char *one = strtok(list, ":"); one; one = strtok(NULL, ":"))
			load(one, true);
	}
	load(macho_program, false);
	program = &images[image_count - 1];
	errno = 0;
	exit(((int (*)(int, char **, char **, char **))(program->base + program->entry))(count - 1, arguments + 1, environ,
										       environ));
}
