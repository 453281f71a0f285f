from odoo import api, models
from odoo.fields import Command

from ... import governance

_MODELS = {
    "personas": "ipai.persona",
    "domains": "ipai.expertise.domain",
    "capabilities": "ipai.agent.capability",
}


class ExpertiseRegistry(models.AbstractModel):
    """The expertise registry as one value, and back into records.

    Everything is read and written with the rights of the user.
    """

    _name = "ipai.expertise.registry"
    _description = "Expertise registry"

    @api.model
    def _present(self):
        """The registry as it is.

        :returns: dict as ``governance.to_yaml`` takes it
        """
        # Names as they are in the source language, archived personas too.
        env = self.with_context(lang="en_US", active_test=False).env
        personas = env["ipai.persona"].search([])
        domains = env["ipai.expertise.domain"].search([])
        held = env["ipai.persona.expertise"].search([])
        by_domain = held.grouped("domain_id")
        empty = env["ipai.persona.expertise"]
        return {
            "personas": {each.code: {"name": each.name} for each in personas},
            "domains": {
                each.code: {
                    "name": each.name,
                    "scope": each.scope or None,
                    **self._holders(by_domain.get(each, empty)),
                }
                for each in domains
            },
            "capabilities": {
                each.code: {
                    "name": each.name,
                    "domain": each.domain_id.code,
                    "persona": each.persona_id.code or None,
                }
                for each in env["ipai.agent.capability"].search([])
            },
        }

    @api.model
    def _holders(self, held):
        primary = held.filtered(lambda each: each.level == "primary")
        return {
            "primary": primary.persona_id.code or None,
            "shared": sorted((held - primary).persona_id.mapped("code")),
        }

    @api.model
    def _export(self):
        """The registry as YAML."""
        return governance.to_yaml(self._present())

    @api.model
    def _published(self):
        """What is published of the personas: text by file name."""
        files = {
            "template.md": governance.template_markdown(),
            "expertise_registry.yaml": self._export(),
        }
        personas = self.env["ipai.persona"].with_context(lang="en_US")
        for persona in personas.search([]).filtered("contract_id"):
            contract = persona.contract_id
            held = persona.expertise_ids.sorted(
                lambda each: (each.level, each.domain_id.code)
            )
            files[f"{persona.code}.md"] = governance.to_markdown(
                {
                    **contract._texts(),
                    "code": persona.code,
                    "name": persona.name,
                    "version": contract.version,
                    "domains": [(each.domain_id.code, each.level) for each in held],
                }
            )
        return files

    @api.model
    def _apply(self, wanted, changes):
        """Write a registry that was read and checked, in this transaction.

        :param wanted: the registry, as ``governance.read`` returns it
        :param changes: what ``governance.changes`` says of it
        """
        self = self.with_context(lang="en_US", active_test=False)
        touched = {(change.part, change.code): [] for change in changes}
        for change in changes:
            touched[change.part, change.code].append(change)
        records = {
            part: {each.code: each for each in self.env[model].search([])}
            for part, model in _MODELS.items()
        }
        # A capability leaves its persona before the persona may lose the domain.
        capabilities = [code for part, code in touched if part == "capabilities"]
        for code in capabilities:
            if code in records["capabilities"]:
                records["capabilities"][code].persona_id = False
        for (part, code), found in touched.items():
            if part == "personas":
                records[part][code].name = wanted[part][code]["name"]
            elif part == "domains":
                self._apply_domain(records, code, wanted[part][code], found)
        for code in capabilities:
            self._apply_capability(records, code, wanted["capabilities"][code])

    @api.model
    def _apply_domain(self, records, code, wanted, changes):
        domains = records["domains"]
        values = {
            change.field: change.after or False
            for change in changes
            if change.field in ("name", "scope")
        }
        if code in domains:
            if values:
                domains[code].write(values)
        else:
            domains[code] = self.env["ipai.expertise.domain"].create(
                {"code": code, **values}
            )
        if not any(change.field in ("primary", "shared") for change in changes):
            return
        domain = domains[code]
        levels = dict.fromkeys(wanted["shared"], "shared")
        if wanted["primary"]:
            levels[wanted["primary"]] = "primary"
        held = {each.persona_id.code: each for each in domain.expertise_ids}
        commands = [
            Command.delete(each.id) for name, each in held.items() if name not in levels
        ]
        # Who stops being the primary comes before who becomes it.
        for name, level in sorted(
            levels.items(), key=lambda item: item[1] == "primary"
        ):
            if name not in held:
                values = {"persona_id": records["personas"][name].id, "level": level}
                commands.append(Command.create(values))
            elif held[name].level != level:
                commands.append(Command.update(held[name].id, {"level": level}))
        for command in commands:
            domain.write({"expertise_ids": [command]})
            domain.expertise_ids.flush_recordset()

    @api.model
    def _apply_capability(self, records, code, wanted):
        values = {
            "name": wanted["name"],
            "domain_id": records["domains"][wanted["domain"]].id,
            "persona_id": records["personas"][wanted["persona"]].id
            if wanted["persona"]
            else False,
        }
        if code in records["capabilities"]:
            records["capabilities"][code].write(values)
        else:
            self.env["ipai.agent.capability"].create({"code": code, **values})
