import HTTPServing
import ServiceDefaults

@testable import ContentCenter

// A file each: some services call a type of theirs as another service's module is called.
extension Applications {
    static let contentCenter: any ServiceApplication.Type = Application.self

    /// The second listener's routes; no folder is looked at before a request comes.
    static var objectListener: Router {
        var router = Router(entrance: .publicCalls)
        let signer = ObjectSigner(key: [])
        ObjectRoutes(objects: LocalObjectStore(directory: "/none", publicURL: "", signer: signer), signer: signer)
            .register(on: &router)
        return router
    }
}
