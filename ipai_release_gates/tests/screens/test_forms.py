"""The forms send only fields that the models accept."""

from lxml import etree

from odoo.tests import tagged
from odoo.tools.safe_eval import safe_eval

from ..common import MODULE, GateCase

#: Names that a modifier may use besides the fields of its form.
_CONTEXT = {"uid": 1, "context": {}, "parent": False, "active_id": False}


#: Forms that never show a stored record.
_FOR_NEW = {f"{MODULE}.ipai_release_view_form_quick"}


@tagged("post_install", "-at_install")
class TestForms(GateCase):
    def forms(self, wanted):
        """The module's forms of guarded models, each as ``(view, arch, model)``."""
        views = self.env["ir.ui.view"].search(
            [("type", "=", "form"), ("mode", "=", "primary")]
        )
        found = 0
        for view in views.filtered(lambda v: v.xml_id.startswith(f"{MODULE}.")):
            model = self.env.get(view.model)
            if model is None or not hasattr(model, wanted):
                continue
            found += 1
            yield view.xml_id, etree.fromstring(model.get_view(view.id)["arch"]), model
        self.assertGreater(found, 10)

    def sent(self, arch, model, values):
        """The fields of a form that the web client sends.

        It sends every field that is not readonly, an invisible one as well.
        """
        for node in arch.xpath("//field[not(ancestor::field)]"):
            name = node.get("name")
            readonly = node.get("readonly", str(model._fields[name].readonly))
            if not safe_eval(readonly, values):
                yield name

    def test_a_form_of_a_new_record_sends_only_what_people_may_set(self):
        wrong = []
        for xml_id, arch, model in self.forms("_creatable"):
            if arch.get("create") in ("0", "false") or not model._creatable:
                continue
            names = [field.get("name") for field in arch.xpath("//field[@name]")]
            defaults = model.default_get([n for n in names if n in model._fields])
            values = {**dict.fromkeys(names, False), **_CONTEXT, **defaults}
            values["id"] = False
            wrong += [
                f"{xml_id}: {name}"
                for name in self.sent(arch, model, values)
                if name not in model._creatable
            ]
        self.assertFalse(wrong, "\n".join(wrong))

    def test_fields_that_cannot_be_saved_are_readonly_on_forms(self):
        wrong = []
        for xml_id, arch, model in self.forms("_writable"):
            if arch.get("edit") in ("0", "false") or xml_id in _FOR_NEW:
                continue
            names = [field.get("name") for field in arch.xpath("//field[@name]")]
            values = {**dict.fromkeys(names, False), **_CONTEXT, "id": 1}
            hidden = {
                node.get("name")
                for node in arch.xpath("//field[@invisible]")
                if node.get("invisible") in ("1", "True")
            }
            wrong += [
                f"{xml_id}: {name}"
                for name in self.sent(arch, model, values)
                if name not in model._writable and name not in hidden
            ]
        self.assertFalse(wrong, "\n".join(wrong))
