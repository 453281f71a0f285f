// Needs no package beside eslint itself: the rules that find mistakes, named one by one.
const browser = [
    "console",
    "document",
    "fetch",
    "navigator",
    "setTimeout",
    "clearTimeout",
    "setInterval",
    "clearInterval",
    "URL",
    "URLSearchParams",
    "window",
];

export default [
    { ignores: [".run/**", "**/static/lib/**", "node_modules/**"] },
    {
        files: ["**/*.js", "**/*.mjs"],
        languageOptions: {
            ecmaVersion: 2024,
            sourceType: "module",
            globals: Object.fromEntries(
                [...browser, "odoo", "luxon"].map((name) => [name, "readonly"])
            ),
        },
        linterOptions: { reportUnusedDisableDirectives: "error" },
        rules: {
            "array-callback-return": "error",
            "consistent-return": "error",
            "constructor-super": "error",
            curly: "error",
            eqeqeq: "error",
            "getter-return": "error",
            "no-alert": "error",
            "no-const-assign": "error",
            "no-debugger": "error",
            "no-dupe-args": "error",
            "no-dupe-class-members": "error",
            "no-dupe-keys": "error",
            "no-duplicate-case": "error",
            "no-empty": "error",
            "no-eval": "error",
            "no-fallthrough": "error",
            "no-implied-eval": "error",
            "no-redeclare": "error",
            "no-shadow": "error",
            "no-this-before-super": "error",
            "no-undef": "error",
            "no-unreachable": "error",
            "no-unused-vars": ["error", { argsIgnorePattern: "^_" }],
            "no-use-before-define": ["error", { functions: false }],
            "no-var": "error",
            "prefer-const": "error",
            "valid-typeof": "error",
        },
    },
];
