/*
 * Replays a corpus through a fuzz target: every file of the folders given.
 * `make check` runs it for each target; `make fuzz` uses libFuzzer instead.
 */
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);

static int
replay(const char *path)
{
	FILE *f = fopen(path, "rb");
	uint8_t *p;
	long n;

	if (f == NULL)
		return -1;
	(void)fseek(f, 0, SEEK_END);
	n = ftell(f);
	rewind(f);
	p = malloc(n > 0 ? (size_t)n : 1); /* exact size: overreads are seen */
	if (p == NULL || fread(p, 1, (size_t)n, f) != (size_t)n) {
		(void)fclose(f);
		free(p);
		return -1;
	}
	(void)fclose(f);
	(void)LLVMFuzzerTestOneInput(p, (size_t)n);
	/* and every prefix of short inputs: cuts are the commonest fault */
	for (long k = 0; k < n && n <= 512; k++)
		(void)LLVMFuzzerTestOneInput(p, (size_t)k);
	free(p);
	return 0;
}

int
main(int argc, char **argv)
{
	int files = 0, failed = 0;

	for (int i = 1; i < argc; i++) {
		DIR *d = opendir(argv[i]);
		struct dirent *de;
		char path[1024];

		if (d == NULL)
			continue;
		while ((de = readdir(d)) != NULL) {
			if (de->d_name[0] == '.')
				continue;
			(void)snprintf(path, sizeof path, "%s/%s", argv[i],
			    de->d_name);
			if (replay(path) == 0)
				files++;
			else
				failed++;
		}
		(void)closedir(d);
	}
	printf("%d passed, %d failed\n", files, failed);
	return files == 0 || failed > 0;
}
