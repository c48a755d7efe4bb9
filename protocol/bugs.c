#include "protocol/bugs.h"

#ifdef SAT_BUGS
unsigned sat_bugs;
#else
typedef int sat_bugs_unused; /* an empty unit is not C */
#endif
