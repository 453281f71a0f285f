{
    "name": "Release Gates: Customer Acceptance",
    "summary": "Customers accept a release by a link; their answers are evidence",
    "version": "19.0.4.0.0",
    "category": "Productivity/Release Governance",
    "author": "Release Gates contributors",
    "license": "AGPL-3",
    "depends": ["ipai_release_gates", "portal"],
    "data": [
        "security/ir.model.access.csv",
        "security/rules.xml",
        "wizards/ask_uat_views.xml",
        "views/uat_templates.xml",
        "views/uat_invitation_views.xml",
        "views/release_views.xml",
        "views/menus.xml",
    ],
}
