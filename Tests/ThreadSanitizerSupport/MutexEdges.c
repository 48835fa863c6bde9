// Tells the thread sanitiser about contended `Synchronization.Mutex`es. Empty in every other build.
//
// On Linux a Mutex is a priority-inheriting futex. Its fast path is inlined and seen by the sanitiser; the slow path lives in
// libswiftSynchronization.so, which is not instrumented, and there the kernel itself writes the lock word: the sanitiser misses that the
// lock was taken or given up, and reports a race for every contended lock. Here the two slow functions are put in front of the library's
// own, with the missing acquire and release. Nothing is suppressed: a real race beside a lock is still reported.
//
// The names are the mangled `_MutexHandle._lockSlow(UInt32)` and `_MutexHandle._unlockSlow()`; `self` travels in the context register.

#if defined(__has_feature)
#if __has_feature(thread_sanitizer)

#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdint.h>

#define LOCK_SLOW "$s15Synchronization12_MutexHandleV9_lockSlowyys6UInt32VF"
#define UNLOCK_SLOW "$s15Synchronization12_MutexHandleV11_unlockSlowyyF"

void __tsan_acquire(void *address);
void __tsan_release(void *address);

typedef __attribute__((swiftcall)) void (*lock_function)(uint32_t self_id, __attribute__((swift_context)) void *self);
typedef __attribute__((swiftcall)) void (*unlock_function)(__attribute__((swift_context)) void *self);

static lock_function real_lock;
static unlock_function real_unlock;

__attribute__((constructor)) static void find_real(void) {
    real_lock = (lock_function)dlsym(RTLD_NEXT, LOCK_SLOW);
    real_unlock = (unlock_function)dlsym(RTLD_NEXT, UNLOCK_SLOW);
}

__attribute__((swiftcall)) void sanitized_lock_slow(uint32_t self_id, __attribute__((swift_context)) void *self) __asm__(LOCK_SLOW);
__attribute__((swiftcall)) void sanitized_unlock_slow(__attribute__((swift_context)) void *self) __asm__(UNLOCK_SLOW);

__attribute__((swiftcall, visibility("default"))) void sanitized_lock_slow(
    uint32_t self_id, __attribute__((swift_context)) void *self) {
    real_lock(self_id, self);
    __tsan_acquire(self);
}

__attribute__((swiftcall, visibility("default"))) void sanitized_unlock_slow(__attribute__((swift_context)) void *self) {
    __tsan_release(self);
    real_unlock(self);
}

#endif
#endif
