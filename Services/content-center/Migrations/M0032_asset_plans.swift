import PostgresStore

/// What tenants may keep by their plan.
let m0032AssetPlans = Migration(
    number: 32, name: "asset_plans",
    sql: """
        -- `bytes` is the tenant's own and wins over what its plan (`ASSET_PLAN_QUOTAS`) allows.
        ALTER TABLE asset_quotas ALTER bytes DROP NOT NULL, ADD plan text;
        """)
