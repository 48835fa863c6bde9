import Testing

@testable import GatewayBFF

@Suite struct PermissionTests {
    /// Who writes does not answer for the house.
    @Test func onlyAdministratorsApproveAndDisposeOfTheTenantsData() {
        for permission in [Permission.approveContents, .approveMaterials, .manageTenant, .manageAPIKeys, .administerModels] {
            let holders = Role.allCases.filter { $0.permissions.contains(permission) }
            #expect(holders == [.systemAdmin, .tenantAdmin], "\(permission)")
        }
    }

    @Test func aViewerChangesNothing() {
        let writing = Role.viewer.permissions.filter { !$0.rawValue.hasSuffix(":read") && $0 != .readUsage }
        #expect(writing.isEmpty)
    }

    /// A leaked key must not be able to erase a tenant.
    @Test func aKeyNeverCarriesWhatOnlyPeopleMay() {
        #expect(Permission.allCases.filter { !$0.isGrantableToKeys } == [.administerModels, .manageTenant, .manageAPIKeys])
    }
}
