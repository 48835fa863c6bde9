import ServiceDefaults
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

    /// A scope that a service is not told of is one that nobody has.
    @Test func everyRoutesPermissionReachesTheServiceThatAnswers() {
        for route in PublicRoutes.all {
            guard case .member(let permission) = route.access, case .upstream(let service, _) = route.target else { continue }
            for permission in [permission] + [route.alternative].compactMap({ $0 }) {
                #expect(HeardScopes.hears(service, permission.rawValue), "\(route.method) \(route.path): \(permission)")
            }
        }
    }

    /// Orchestration asks whoever has a run taken up again for the permissions of the run's own flow, whichever that is.
    @Test func orchestrationHearsOfEveryPermission() {
        #expect(Permission.allCases.filter { !HeardScopes.hears(.orchestrationService, $0.rawValue) } == [])
    }

    /// A leaked key must not be able to erase a tenant.
    @Test func aKeyNeverCarriesWhatOnlyPeopleMay() {
        #expect(Permission.allCases.filter { !$0.isGrantableToKeys } == [.administerModels, .manageTenant, .manageAPIKeys])
    }
}
