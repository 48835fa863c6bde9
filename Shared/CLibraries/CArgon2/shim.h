#ifndef C_ARGON2_SHIM_H
#define C_ARGON2_SHIM_H

#include <argon2.h>

#endif
