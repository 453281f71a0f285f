{
    "name": "Release Gates: Everything",
    "summary": "Installs the release gates with all of their addons",
    "version": "19.0.4.0.0",
    "category": "Productivity/Release Governance",
    "author": "Release Gates contributors",
    "license": "AGPL-3",
    "depends": ["ipai_release_gates_github", "ipai_release_gates_uat"],
}
