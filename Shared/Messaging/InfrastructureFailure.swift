import PostgresStore

/// Whether an error says that something this process needs is away, rather than that the message is bad.
func isInfrastructureFailure(_ error: any Error) -> Bool {
    switch error {
    case let error as PostgresError: error.isConnectionLoss
    case is PoolTimeout, is DatabaseClosed, is PublishFailure, is BrokerFailure: true
    default: false
    }
}
