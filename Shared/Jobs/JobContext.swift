import ConcurrencySupport
public import FoundationEssentials
public import PostgresStore

/// What a handler has of its job.
public struct JobContext: Sendable {
    let lease: JobLease
    let steps: StepResults
    /// The database as the app role.
    public let database: Database

    public var id: UUID { lease.id }
    public var tenant: UUID { lease.tenant }
    public var kind: String { lease.kind }
    public var payload: JSONText { lease.payload }
    /// 1 for the first.
    public var attempt: Int { lease.attempt }
    /// Grows with every claim of the job; for systems outside that can refuse an older one.
    public var fence: Int64 { lease.fence }

    public func decodePayload<Value: Decodable>(as type: Value.Type = Value.self) throws -> Value {
        try JSONDecoder().decode(type, from: Data(lease.payload.text.utf8))
    }

    /// The kept result of a step that has been done.
    public func result<Value: Decodable>(of step: String, as type: Value.Type = Value.self) throws -> Value? {
        try steps.result(of: step, as: type)
    }

    /// Writes to the database, and only while the lease holds: nobody takes the job before the transaction ends.
    ///
    /// - Throws: ``JobLeaseLost`` if the job belongs to somebody else by now.
    public func whileHeld<Value: Sendable>(_ body: @Sendable (Transaction) async throws -> Value) async throws -> Value {
        try await database.transaction(tenant: tenant) { transaction in
            try await lease.assertHeld(in: transaction)
            return try await body(transaction)
        }
    }

    /// Does a step whose result is kept: a repetition of the job returns the result without doing the step again.
    ///
    /// A crash between the end of `body` and the keeping of its result repeats the step: what it does outside the database must bear
    /// that, or be found by the job's id. For work in the database use ``transactionalStep(_:_:)``.
    @discardableResult
    public func step<Value: Codable & Sendable>(_ name: String, _ body: @Sendable () async throws -> Value) async throws -> Value
    {
        if let kept = try steps.result(of: name, as: Value.self) { return kept }
        try Task.checkCancellation()
        let value = try await body()
        let encoded = try steps.encode(value)
        try await database.transaction(tenant: tenant) { transaction in
            try await lease.assertHeld(in: transaction)
            try lease.keep(step: name, result: encoded, in: transaction)
        }
        steps.keep(encoded, of: name)
        return value
    }

    /// Does a step whose effect and whose result become true together, and only while the lease holds: exactly once.
    @discardableResult
    public func transactionalStep<Value: Codable & Sendable>(
        _ name: String, _ body: @Sendable (Transaction) async throws -> Value
    ) async throws -> Value {
        if let kept = try steps.result(of: name, as: Value.self) { return kept }
        let (value, encoded) = try await whileHeld { transaction in
            let value = try await body(transaction)
            let encoded = try steps.encode(value)
            try lease.keep(step: name, result: encoded, in: transaction)
            return (value, encoded)
        }
        steps.keep(encoded, of: name)
        return value
    }

    /// Shows how far the job is. It never goes back.
    ///
    /// - Throws: ``JobLeaseLost`` if the job belongs to somebody else by now.
    public func progress(_ percent: Int) async throws {
        try Task.checkCancellation()
        try await lease.setProgress(percent, app: database)
    }
}

/// The kept results of a job's steps. JSON has no bare values in old decoders, so each stands in an array of one.
final class StepResults: Sendable {
    private let results: Lock<[String: JSONText]>

    init(_ results: [String: JSONText]) { self.results = Lock(results) }

    func result<Value: Decodable>(of name: String, as type: Value.Type) throws -> Value? {
        guard let kept = results.withLock({ $0[name] }) else { return nil }
        return try JSONDecoder().decode([Value].self, from: Data(kept.text.utf8)).first
    }

    func encode(_ value: some Encodable) throws -> JSONText {
        JSONText(bytes: Array(try JSONEncoder().encode([value])))
    }

    func keep(_ result: JSONText, of name: String) { results.withLock { $0[name] = result } }
}
