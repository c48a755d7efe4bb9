#include "tests/lib/unit.h"

#include <dirent.h>
#include <sys/stat.h>
#include <unistd.h>

uint64_t
sat_test_seed(uint64_t dflt)
{
	const char *s = getenv("SAT_SEED");
	uint64_t seed = s != NULL ? strtoull(s, NULL, 0) : dflt;

	printf("seed %llu\n", (unsigned long long)seed);
	return seed;
}

char *
sat_test_dir(void)
{
	const char *t = getenv("TMPDIR");
	char *d = malloc(256);

	assert_non_null(d);
	(void)snprintf(d, 256, "%s/sat-test-XXXXXX", t != NULL ? t : "/tmp");
	assert_non_null(mkdtemp(d));
	return d;
}

static void
remove_tree(const char *path)
{
	struct stat st;
	DIR *d;
	struct dirent *de;
	char sub[1024];

	if (lstat(path, &st) != 0)
		return;
	if (!S_ISDIR(st.st_mode)) {
		(void)unlink(path);
		return;
	}
	d = opendir(path);
	if (d != NULL) {
		while ((de = readdir(d)) != NULL) {
			if (strcmp(de->d_name, ".") == 0 ||
			    strcmp(de->d_name, "..") == 0)
				continue;
			(void)snprintf(sub, sizeof sub, "%s/%s", path,
			    de->d_name);
			remove_tree(sub);
		}
		(void)closedir(d);
	}
	(void)rmdir(path);
}

void
sat_test_rmdir(char *dir)
{
	remove_tree(dir);
	free(dir);
}

char *sat_test_here;

int
sat_test_dir_setup(void **state)
{
	(void)state;
	sat_test_here = sat_test_dir();
	return 0;
}

int
sat_test_dir_teardown(void **state)
{
	(void)state;
	sat_test_rmdir(sat_test_here);
	return 0;
}

unsigned
sat_test_fds(void)
{
	DIR *d = opendir("/proc/self/fd");
	unsigned n = 0;

	assert_non_null(d);
	while (readdir(d) != NULL)
		n++;
	(void)closedir(d);
	return n;
}

const char *
sat_test_at(const char *name)
{
	static char path[64][400];
	static unsigned i;
	char *p = path[i++ % 64];

	(void)snprintf(p, sizeof path[0], "%s/%s", sat_test_here, name);
	return p;
}

void
sat_test_save(const char *path, const void *p, size_t n)
{
	FILE *f = fopen(path, "wb");

	assert_non_null(f);
	assert_int_equal(n, fwrite(p, 1, n, f));
	assert_int_equal(0, fclose(f));
}

/*
 * NNG destroys a mutex on its reaper after an atomic counter said that it was
 * the last to know it; not being instrumented, that counter is not seen.
 */
const char *__tsan_default_suppressions(void);
const char *
__tsan_default_suppressions(void)
{
	return "race:pthread_mutex_destroy\n";
}

/* libxlsxwriter 1.1.4 forgets the formula of a drop-down when it closes. */
const char *__lsan_default_suppressions(void);
const char *
__lsan_default_suppressions(void)
{
	return "leak:lxw_strdup\n";
}
