/// Whether an error says that something this process needs is away, rather than that the message is bad.
func isInfrastructureFailure(_ error: any Error) -> Bool {
    error is PublishFailure || error is BrokerFailure
}
