#ifndef THREAD_SANITIZER_SUPPORT_H
#define THREAD_SANITIZER_SUPPORT_H

// Nothing to call; see MutexEdges.c.

#endif
