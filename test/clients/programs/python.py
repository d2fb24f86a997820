# A program as people write them with Python's client: typed calls, a watch, patches, a custom resource, errors, pages.
# Usage: python.py NAMESPACE; the server comes from KUBECONFIG. Prints one line a step, ends with 0 when all went well.
import sys
import threading

from kubernetes import client, config, dynamic, utils, watch
from kubernetes.client.rest import ApiException

namespace = sys.argv[1]
config.load_kube_config()
core, apps = client.CoreV1Api(), client.AppsV1Api()


def ok(step):
    print("ok:", step, flush=True)


def status_of(call):
    try:
        call()
    except ApiException as error:
        return error.status
    return 200


core.create_namespace({"metadata": {"name": namespace}})
assert client.VersionApi().get_code().git_version.startswith("v1.34")
ok("a namespace, and the version")

seen = []
begun = threading.Event()


def follow():
    for event in watch.Watch().stream(core.list_namespaced_config_map, namespace, timeout_seconds=30):
        begun.set()
        if event["object"].metadata.name == "zero":
            continue
        seen.append((event["type"], event["object"].metadata.name, event["object"].data))
        if event["type"] == "DELETED":
            return


# What comes before the watch has begun would be one event of its first list.
core.create_namespaced_config_map(namespace, {"metadata": {"name": "zero"}})
follower = threading.Thread(target=follow)
follower.start()
assert begun.wait(30)
core.create_namespaced_config_map(namespace, client.V1ConfigMap(metadata=client.V1ObjectMeta(name="one"), data={"a": "1"}))
core.patch_namespaced_config_map("one", namespace, {"data": {"b": "2"}})
got = core.read_namespaced_config_map("one", namespace)
assert got.data == {"a": "1", "b": "2"}, got.data
got.data["a"] = "3"
core.replace_namespaced_config_map("one", namespace, got)
got.metadata.resource_version = "1"
assert status_of(lambda: core.replace_namespaced_config_map("one", namespace, got)) == 409
core.delete_namespaced_config_map("one", namespace)
follower.join(30)
assert [kind for kind, _, _ in seen] == ["ADDED", "MODIFIED", "MODIFIED", "DELETED"], seen
assert seen[2][2] == {"a": "3", "b": "2"}, seen
ok("create, patch, replace, delete, and a watch that saw it all")

assert status_of(lambda: core.read_namespaced_config_map("one", namespace)) == 404
assert status_of(lambda: core.create_namespaced_config_map(namespace, {"metadata": {"name": "Wrong Name"}})) == 422
assert status_of(lambda: core.list_namespaced_pod(namespace, field_selector="spec.nosuch=1")) == 400
ok("errors have their codes")

for number in range(25):
    core.create_namespaced_secret(namespace, {"metadata": {"name": f"s-{number:02}"}, "stringData": {"k": str(number)}})
names, token = [], None
while True:
    page = core.list_namespaced_secret(namespace, limit=10, _continue=token)
    names += [secret.metadata.name for secret in page.items]
    token = page.metadata._continue
    if not token:
        break
assert names == [f"s-{number:02}" for number in range(25)], names
ok("a list in pages")

pod = {"metadata": {"labels": {"app": "x"}}, "spec": {"containers": [{"name": "c", "image": "example.com/x"}]}}
spec = {"replicas": 1, "selector": {"matchLabels": {"app": "x"}}, "template": pod}
utils.create_from_dict(client.ApiClient(), {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "d", "namespace": namespace}, "spec": spec})
apps.patch_namespaced_deployment_scale("d", namespace, {"spec": {"replicas": 3}})
assert apps.read_namespaced_deployment_scale("d", namespace).spec.replicas == 3
assert apps.read_namespaced_deployment("d", namespace).spec.strategy.type == "RollingUpdate"
ok("a deployment and its scale")

dynamics = dynamic.DynamicClient(client.ApiClient())
maps = dynamics.resources.get(api_version="v1", kind="ConfigMap")
wanted = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "applied"}, "data": {"x": "y"}}
maps.server_side_apply(body=wanted, namespace=namespace, field_manager="python")
managers = [entry.manager for entry in core.read_namespaced_config_map("applied", namespace).metadata.managed_fields]
assert managers == ["python"], managers
ok("the dynamic client, and server-side apply")

group, plural = "clients.example.com", "things"
schema = {"type": "object", "properties": {"spec": {"type": "object", "properties": {"size": {"type": "integer", "maximum": 5}}}}}
definition = {
    "metadata": {"name": f"{plural}.{group}"},
    "spec": {
        "group": group,
        "scope": "Namespaced",
        "names": {"plural": plural, "kind": "Thing"},
        "versions": [{"name": "v1", "served": True, "storage": True, "schema": {"openAPIV3Schema": schema}}],
    },
}
extensions = client.ApiextensionsV1Api()
extensions.create_custom_resource_definition({"apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition", **definition})
for event in watch.Watch().stream(extensions.list_custom_resource_definition, field_selector=f"metadata.name={plural}.{group}", timeout_seconds=30):
    conditions = {each.type: each.status for each in event["object"].status.conditions or []}
    if conditions.get("Established") == "True":
        break
custom = client.CustomObjectsApi()


def thing(name, size):
    return {"apiVersion": f"{group}/v1", "kind": "Thing", "metadata": {"name": name}, "spec": {"size": size}}


for _ in range(100):
    status = status_of(lambda: custom.create_namespaced_custom_object(group, "v1", namespace, plural, thing("small", 1)))
    if status not in (404, 429):
        break
assert status == 200, status
assert status_of(lambda: custom.create_namespaced_custom_object(group, "v1", namespace, plural, thing("big", 6))) == 422
assert [each["metadata"]["name"] for each in custom.list_namespaced_custom_object(group, "v1", namespace, plural)["items"]] == ["small"]
extensions.delete_custom_resource_definition(f"{plural}.{group}")
ok("a custom resource")
