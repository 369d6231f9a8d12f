/* version.h - the one place where the version stands. */
#ifndef BASE_VERSION_H
#define BASE_VERSION_H

#define ATIENDE_VERSION "1.0"

#endif
