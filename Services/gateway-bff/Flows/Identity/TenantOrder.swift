import ConfigReading
import FoundationEssentials
import HTTPCore

/// What `gateway-bff create-tenant <name> <owner's e-mail>` was asked for, checked.
struct TenantOrder: Sendable, Equatable {
    let name: String
    /// As addresses are compared: ``Identity/normalise(email:)``.
    let email: String
    let password: Secret

    static let nameLength = 1...100
    static let emailLength = 3...254
    /// Signing in takes 128; whoever may do everything in a tenant has one that is not guessed.
    static let passwordLength = 12...128

    /// - Parameter password: of whoever answers for the tenant; never an argument, which everybody on the machine can read.
    /// - Throws: ``WrongOrder`` with all that is wrong.
    init(_ arguments: [String], password: Secret?) throws(WrongOrder) {
        guard arguments.count == 2 else {
            throw WrongOrder(["create-tenant takes two arguments: the tenant's name and its owner's e-mail address"])
        }
        name = arguments[0].trimmingWhiteSpace()
        email = Identity.normalise(email: arguments[1])
        self.password = password ?? Secret("")
        var complaints = Self.complaints(
            about: [
                ("the name", name, Self.nameLength), ("the e-mail address", email, Self.emailLength),
                ("the password", self.password.exposed, Self.passwordLength),
            ], email: email)
        if name.hasInvisibleCharacters { complaints.append("the name must not contain invisible characters") }
        guard complaints.isEmpty else { throw WrongOrder(complaints) }
    }

    /// What is wrong with texts of these lengths, one of which is an address.
    static func complaints(about texts: [(what: String, text: String, length: ClosedRange<Int>)], email: String) -> [String] {
        let complaints = texts.compactMap { what, text, length in
            TextRule.check(text, length: length, pointer: "").map { "\(what) \($0.message.text(in: .en))" }
        }
        return complaints.isEmpty && !isAddress(email) ? ["'\(email)' is no e-mail address"] : complaints
    }

    /// Not more than that mail could get there: something, an @, something, and no blanks.
    private static func isAddress(_ text: String) -> Bool {
        let parts = text.split(separator: "@", omittingEmptySubsequences: false)
        return parts.count == 2 && parts.allSatisfy { !$0.isEmpty && !$0.contains(where: \.isWhitespace) }
    }

    struct WrongOrder: Error, Equatable, CustomStringConvertible {
        let description: String

        init(_ complaints: [String]) { description = complaints.joined(separator: "; ") }
    }
}

/// Why no tenant was made. Nothing has changed then.
enum TenantRefusal: Error, Equatable, CustomStringConvertible {
    /// The address belongs to somebody who has another password, or who may not sign in.
    case otherPassword, disabledUser
    /// A tenant of this name has other members.
    case nameTaken

    var description: String {
        switch self {
        case .otherPassword: "a user with this e-mail address exists, and has another password"
        case .disabledUser: "the user with this e-mail address is disabled"
        case .nameTaken: "a tenant of this name exists, and this user is none of its members"
        }
    }
}

extension String {
    fileprivate func trimmingWhiteSpace() -> String {
        var text = self[...]
        while text.first?.isWhitespace == true { text.removeFirst() }
        while text.last?.isWhitespace == true { text.removeLast() }
        return String(text)
    }
}
