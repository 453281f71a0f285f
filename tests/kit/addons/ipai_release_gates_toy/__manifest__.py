{
    "name": "Release Gates: Toy",
    "summary": "Follows the recipes: a kind, a fact, a provider, a section",
    "version": "19.0.4.0.0",
    "category": "Productivity/Release Governance",
    "author": "Release Gates contributors",
    "license": "AGPL-3",
    "depends": ["ipai_release_gates"],
    "data": [
        "security/ir.model.access.csv",
        "security/rules.xml",
        "views/walkthrough_views.xml",
        "reports/dossier_walkthroughs.xml",
    ],
}
