/* Names in memory: who may look, whose they are, and what a sweep takes. */
#include "tests/lib/unit.h"

#include "common/base/file.h"
#include "common/base/mem.h"
#include "common/base/shm.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char *one, *two; /* folders of two replicas */

static int
make(void **state)
{
	sat_err err;

	(void)state;
	assert_ok(sat_folder_temp(&one, "satchel-unit", &err));
	assert_ok(sat_folder_temp(&two, "satchel-unit", &err));
	return 0;
}

static int
clean(void **state)
{
	char *all[2] = { one, two };

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		sat_shm_sweep(all[i], NULL);
		sat_folder_remove(all[i]);
		free(all[i]);
	}
	return 0;
}

static char *
folder_of(const char *owner, const char *use)
{
	sat_err err;
	char *path, *in;

	assert_ok(sat_shm_folder(&path, owner, use, &err));
	in = sat_xasprintf("%s/book", path);
	assert_ok(sat_file_write(in, sat_span_str("x"), 0600, &err));
	free(in);
	return path;
}

static char *
file_of(const char *owner, const char *use)
{
	sat_err err;
	char *path;
	int fd;

	assert_ok(sat_shm_file(&fd, &path, owner, use, &err));
	assert_int_equal(1, write(fd, "x", 1));
	assert_int_equal(0, close(fd));
	return path;
}

/* Whether it is there; frees the name. */
static bool
stays(char *path)
{
	bool there = sat_file_there(path);

	free(path);
	return there;
}

static void
what_is_made_is_in_memory_and_its_owners_alone(void **state)
{
	char *folder = folder_of(one, "export"), *file = file_of(one, "import");
	sat_file_facts f;
	sat_err err;

	(void)state;
	assert_int_equal(0, strncmp(folder, "/dev/shm/satchel-", 17));
	assert_int_equal(0, strncmp(file, "/dev/shm/satchel-", 17));
	assert_ok(sat_file_look(&f, folder, &err));
	assert_int_equal(0700, f.mode);
	assert_ok(sat_file_look(&f, file, &err));
	assert_int_equal(0600, f.mode);
	free(folder);
	free(file);
}

static void
a_sweep_takes_what_is_its_own_under_any_spelling_of_the_folder(void **state)
{
	char *spelled = sat_xasprintf("%s/../%s/.", one, strrchr(one, '/') + 1);
	char *a = folder_of(one, "export"), *b = file_of(one, "import");
	char *c = folder_of(two, "export"), *d = file_of(two, "import");

	(void)state;
	sat_shm_sweep(spelled, "export");
	assert_false(stays(a));
	assert_true(sat_file_there(b)); /* somebody may be reading it */
	assert_true(sat_file_there(c));
	a = folder_of(spelled, "export");
	sat_shm_sweep(one, NULL);
	assert_false(stays(a));
	assert_false(stays(b));
	assert_true(stays(c));
	assert_true(stays(d));
	free(spelled);
}

/* A folder that is not there owns nothing: not what all names begin with either. */
static void
of_a_folder_that_is_not_there_nothing_is_made_or_swept(void **state)
{
	char *none = sat_xasprintf("%s/none", one), *path;
	char *a = folder_of(one, "export");
	sat_err err;
	int fd;

	(void)state;
	assert_rc(SAT_EIO, sat_shm_folder(&path, none, "export", &err));
	assert_null(path);
	assert_rc(SAT_EIO, sat_shm_file(&fd, &path, none, "import", &err));
	assert_null(path);
	sat_shm_sweep(none, NULL);
	assert_true(stays(a));
	free(none);
}

#define T(name) cmocka_unit_test_setup_teardown(name, make, clean)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		T(what_is_made_is_in_memory_and_its_owners_alone),
		T(a_sweep_takes_what_is_its_own_under_any_spelling_of_the_folder),
		T(of_a_folder_that_is_not_there_nothing_is_made_or_swept),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
