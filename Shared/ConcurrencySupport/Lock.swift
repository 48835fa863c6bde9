public import Glibc

/// A value behind a pthread mutex: the face of `Synchronization.Mutex`, and the one lock of this repository.
///
/// Two reasons. The standard library's mutex takes its slow path (a futex) inside a library that is not instrumented: under contention
/// the thread sanitiser sees neither the wait nor the hand-over, and reports a race on everything the mutex guards; it knows pthreads.
/// And on Linux that futex inherits priorities and goes to the first thread in the queue: with hundreds of threads on two cores the
/// convoy took 40 % of the sandbox's time. A plain pthread mutex lets whoever runs take it.
///
/// Unchecked: the mutex is what makes the value shareable; both live on the heap, where their address stays.
public struct Lock<Value: ~Copyable>: ~Copyable, @unchecked Sendable {
    @usableFromInline let mutex: UnsafeMutablePointer<pthread_mutex_t>
    @usableFromInline let value: UnsafeMutablePointer<Value>

    public init(_ initialValue: consuming sending Value) {
        // One allocation for both: many a lock lives for one request only.
        let alignment = max(MemoryLayout<pthread_mutex_t>.alignment, MemoryLayout<Value>.alignment)
        let offset = (MemoryLayout<pthread_mutex_t>.size + alignment - 1) / alignment * alignment
        let memory = UnsafeMutableRawPointer.allocate(byteCount: offset + MemoryLayout<Value>.size, alignment: alignment)
        mutex = memory.bindMemory(to: pthread_mutex_t.self, capacity: 1)
        mutex.initialize(to: pthread_mutex_t())
        let status = pthread_mutex_init(mutex, nil)
        precondition(status == 0, "pthread_mutex_init failed: \(status)")
        value = (memory + offset).bindMemory(to: Value.self, capacity: 1)
        value.initialize(to: initialValue)
    }

    deinit {
        value.deinitialize(count: 1)
        pthread_mutex_destroy(mutex)
        UnsafeMutableRawPointer(mutex).deallocate()
    }

    /// Runs `body` with the value, alone. Keep it short; never resume a continuation in it, never call it within itself.
    @inlinable
    public borrowing func withLock<Result: ~Copyable, Failure: Error>(
        _ body: (inout sending Value) throws(Failure) -> sending Result
    ) throws(Failure) -> sending Result {
        pthread_mutex_lock(mutex)
        defer { pthread_mutex_unlock(mutex) }
        return try body(&value.pointee)
    }
}
