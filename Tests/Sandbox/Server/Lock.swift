import Glibc

/// A value behind a plain pthread mutex.
///
/// `Synchronization.Mutex` is a priority-inheriting futex on Linux: it hands the lock over to the first thread in the queue, and with
/// hundreds of threads on two cores that convoy took 40 % of the sandbox's time. This one lets whoever runs take it.
///
/// Unchecked: the value is touched only between lock and unlock.
final class Lock<Value>: @unchecked Sendable {
    private let mutex: UnsafeMutablePointer<pthread_mutex_t>
    private var value: Value

    init(_ value: Value) {
        self.value = value
        mutex = .allocate(capacity: 1)
        pthread_mutex_init(mutex, nil)
    }

    deinit {
        pthread_mutex_destroy(mutex)
        mutex.deallocate()
    }

    func withLock<Result>(_ body: (inout Value) -> Result) -> Result {
        pthread_mutex_lock(mutex)
        defer { pthread_mutex_unlock(mutex) }
        return body(&value)
    }
}
