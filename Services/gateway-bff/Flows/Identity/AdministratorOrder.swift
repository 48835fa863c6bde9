import ConfigReading
import FoundationEssentials
import HTTPCore

/// What `gateway-bff create-administrator <e-mail>` was asked for, checked.
struct AdministratorOrder: Sendable, Equatable {
    /// As addresses are compared: ``Identity/normalise(email:)``.
    let email: String
    /// What a new user signs in with. Whoever is there has his own.
    let password: Secret?

    /// - Parameter password: never an argument, which everybody on the machine can read; empty is none.
    /// - Throws: ``TenantOrder/WrongOrder`` with all that is wrong.
    init(_ arguments: [String], password: Secret?) throws(TenantOrder.WrongOrder) {
        guard arguments.count == 1 else {
            throw TenantOrder.WrongOrder(["create-administrator takes one argument: the administrator's e-mail address"])
        }
        email = Identity.normalise(email: arguments[0])
        self.password = password.flatMap { $0.exposed.isEmpty ? nil : $0 }
        var texts = [("the e-mail address", email, TenantOrder.emailLength)]
        if let password = self.password { texts.append(("the password", password.exposed, TenantOrder.passwordLength)) }
        let complaints = TenantOrder.complaints(about: texts, email: email)
        guard complaints.isEmpty else { throw TenantOrder.WrongOrder(complaints) }
    }
}

/// Why nobody was made an administrator. Nothing has changed then.
enum AdministratorRefusal: Error, Equatable, CustomStringConvertible {
    /// Nobody has the address, and a new user needs a password.
    case passwordMissing
    /// The address belongs to somebody who has another password, or who may not sign in.
    case otherPassword, disabledUser

    var description: String {
        switch self {
        case .passwordMissing: "no user has this e-mail address, and a new one needs a password"
        case .otherPassword: "a user with this e-mail address exists, and has another password"
        case .disabledUser: "the user with this e-mail address is disabled"
        }
    }
}
