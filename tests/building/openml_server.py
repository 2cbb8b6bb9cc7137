"""A small HTTP server that answers as OpenML does, from facts written here.

Two datasets (16 rows each, invented), three tasks, a suite, and evaluations of six setups. The
shape of the answers follows recordings of a real server, as the openml package and scikit-learn
ship them with their tests (BSD-3-Clause).
"""

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

NAMESPACE = 'xmlns:oml="http://openml.org/openml"'
ARFF = """@RELATION '{name}'
@ATTRIBUTE size NUMERIC
@ATTRIBUTE colour {{red,green,blue}}
@ATTRIBUTE note STRING
@ATTRIBUTE target NUMERIC
@ATTRIBUTE class {{no,yes}}
@DATA
{rows}
"""
SPARSE = "@RELATION words\n" + "".join(f"@ATTRIBUTE word{i} NUMERIC\n" for i in range(5))
SPARSE += "@ATTRIBUTE class NUMERIC\n@DATA\n"
SPARSE += "".join(f"{{{i % 5} {i + 1}{', 5 1' if i % 2 else ''}}}\n" for i in range(12))
DATASETS = {
    31: {"name": "credit-small", "licence": "CC-BY", "target": "class"},
    99001: {"name": "price-small", "licence": "Public", "target": "target"},
    61: {"name": "iris", "licence": "Public", "target": "class"},
    99002: {"name": "many-targets", "licence": "Public", "target": "target,class"},
    99003: {"name": "Iris (2)", "licence": "Public", "target": "class"},
    99004: {"name": "broken", "licence": "Public", "target": "class"},
    99005: {"name": "words", "licence": "Public", "target": "class", "format": "Sparse_ARFF"},
}
TASKS = {
    31: (31, 1, "Supervised Classification", "class"),
    3099: (99001, 2, "Supervised Regression", "target"),
    59: (61, 1, "Supervised Classification", "class"),
    77: (31, 5, "Clustering", None),
}
QUALITIES = {
    31: {
        "NumberOfInstances": 16,
        "NumberOfFeatures": 5,
        "NumberOfClasses": 2,
        "ClassEntropy": 1.0,
        "NumberOfNumericFeatures": 2,
        "MajorityClassSize": 8,
        "MinorityClassSize": 8,
        "NumberOfMissingValues": 2,
        "NumberOfInstancesWithMissingValues": 2,
    },
    99001: {
        "NumberOfInstances": 16,
        "NumberOfFeatures": 5,
        "NumberOfClasses": 0,
        "NumberOfNumericFeatures": 2,
        "NumberOfMissingValues": 2,
    },
    61: {"NumberOfInstances": 150, "NumberOfFeatures": 5, "NumberOfClasses": 3},
}
PIPELINE = (
    "sklearn.pipeline.Pipeline(imputer=sklearn.preprocessing.imputation.Imputer,"
    "scaler=sklearn.preprocessing.data.StandardScaler,svc=sklearn.svm.classes.SVC)"
)
FLOWS = {
    1: "sklearn.ensemble.forest.RandomForestClassifier",
    2: PIPELINE,
    3: "weka.J48",
    4: "sklearn.ensemble.gradient_boosting.GradientBoostingClassifier",
    5: "sklearn.linear_model.ridge.Ridge",
}
# Setup: flow, parameters as {component: {name: value in JSON}}.
SETUPS = {
    101: (1, {FLOWS[1]: {"n_estimators": "150", "max_features": '"auto"', "random_state": "7"}}),
    102: (1, {FLOWS[1]: {"n_estimators": "150", "max_leaf_nodes": "9"}}),
    103: (
        2,
        {
            PIPELINE: {"steps": '[{"oml-python:serialized_object": "component_reference"}]'},
            "sklearn.preprocessing.imputation.Imputer": {"strategy": '"median"'},
            "sklearn.preprocessing.data.StandardScaler": {"with_mean": "true"},
            "sklearn.svm.classes.SVC": {"C": "10.0", "gamma": "0.01", "kernel": '"rbf"'},
        },
    ),
    104: (3, {"weka.J48": {"C": "0.25"}}),
    105: (4, {FLOWS[4]: {"n_estimators": "100"}}),
    106: (5, {FLOWS[5]: {"alpha": "3.0"}}),
}
# Task, measure: run, setup, value.
EVALUATIONS = {
    (31, "predictive_accuracy"): [
        (1001, 101, 0.875),
        (1002, 102, 0.75),
        (1003, 103, 0.8125),
        (1004, 104, 0.7),
        (1005, 105, 0.9),
        (1006, 101, 0.89),
    ],
    (31, "area_under_roc_curve"): [(1001, 101, 0.91), (1003, 103, 0.85)],
    (3099, "mean_absolute_error"): [(1010, 106, 2.5)],
}


def rows():
    """Give the data of every dataset: 16 rows, two missing values."""
    lines = []
    for i in range(16):
        size = "?" if i in (3, 9) else f"{i * 1.5}"
        colour = ("red", "green", "blue")[i % 3]
        lines.append(f"{size},{colour},'text {i % 4}',{i * i / 2},{'yes' if i % 2 else 'no'}")
    return "\n".join(lines)


class OpenMLServer:
    """Serve on a free port of this machine; ``with OpenMLServer() as server: server.url``.

    Attributes
    ----------
    calls : list of str
        Paths asked for, in order.
    failures : int
        So many of the next calls are answered by closing the connection.
    """

    def __enter__(self):
        server = self
        self.calls, self.failures = [], 0

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self):
                server.calls.append(self.path)
                if server.failures > 0:
                    server.failures -= 1
                    self.close_connection = True
                    return
                status, text = server.answer(self.path.partition("?")[0])
                body = text.encode()
                self.send_response(status)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *args):
                """Keep quiet."""

        self.http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.root = f"http://127.0.0.1:{self.http.server_port}"
        self.url = f"{self.root}/api/v1/xml"
        self.thread = threading.Thread(target=self.http.serve_forever, daemon=True)
        self.thread.start()
        return self

    def __exit__(self, *error):
        self.http.shutdown()
        self.http.server_close()
        self.thread.join()

    def answer(self, path):
        """Give the status and the text for a path."""
        if path.startswith("/files/"):
            number = int(path.split("/")[2])
            if DATASETS[number]["name"] == "broken":
                return 200, "@RELATION broken\n@ATTRIBUTE size NUMERIC\n@DATA\nsmall\n"
            name = DATASETS[number]["name"]
            if "format" in DATASETS[number]:
                return 200, SPARSE
            return 200, ARFF.format(name=name, rows=rows())
        parts = path.removeprefix("/api/v1/xml/").split("/")
        makers = {
            "task": _task,
            "data": self._data,
            "study": _study,
            "evaluation": _evaluations,
            "setup": _setups,
            "user": _users,
        }
        return makers[parts[0]](parts[1:])

    def _data(self, parts):
        if parts[0] == "features":
            return 200, _features(int(parts[1]))
        if parts[0] == "qualities":
            return _qualities(int(parts[1]))
        number = int(parts[0])
        if number not in DATASETS:
            return 412, _error(111, "Unknown dataset")
        own = DATASETS[number]
        return (
            200,
            f"""<oml:data_set_description {NAMESPACE}>
  <oml:id>{number}</oml:id><oml:name>{own["name"]}</oml:name><oml:version>1</oml:version>
  <oml:description>Invented.</oml:description><oml:format>{own.get("format", "ARFF")}</oml:format>
  <oml:upload_date>2020-01-01T00:00:00</oml:upload_date><oml:licence>{own["licence"]}</oml:licence>
  <oml:url>{self.root}/files/{number}/data.arff</oml:url><oml:file_id>{number}</oml:file_id>
  <oml:default_target_attribute>{own["target"]}</oml:default_target_attribute>
  <oml:status>active</oml:status></oml:data_set_description>""",
        )


def _error(code, message):
    code, message = f"<oml:code>{code}</oml:code>", f"<oml:message>{message}</oml:message>"
    return f"<oml:error {NAMESPACE}>{code}{message}</oml:error>"


def _features(number):
    kinds = [
        ("size", "numeric"),
        ("colour", "nominal"),
        ("note", "string"),
        ("target", "numeric"),
        ("class", "nominal"),
    ]
    values = {"colour": ("red", "green", "blue"), "class": ("no", "yes")}
    items = []
    for index, (name, kind) in enumerate(kinds):
        nominal = "".join(
            f"<oml:nominal_value>{value}</oml:nominal_value>" for value in values.get(name, ())
        )
        is_target = str(name == DATASETS[number]["target"]).lower()
        items.append(
            f"<oml:feature><oml:index>{index}</oml:index><oml:name>{name}</oml:name>"
            f"<oml:data_type>{kind}</oml:data_type>{nominal}<oml:is_target>{is_target}"
            f"</oml:is_target><oml:is_ignore>false</oml:is_ignore><oml:is_row_identifier>false"
            f"</oml:is_row_identifier><oml:number_of_missing_values>0"
            f"</oml:number_of_missing_values></oml:feature>"
        )
    return f"<oml:data_features {NAMESPACE}>{''.join(items)}</oml:data_features>"


def _qualities(number):
    if number not in QUALITIES:
        return 412, _error(362, "No qualities found")
    items = "".join(
        f"<oml:quality><oml:name>{name}</oml:name><oml:value>{value}</oml:value></oml:quality>"
        for name, value in QUALITIES[number].items()
    )
    return 200, f"<oml:data_qualities {NAMESPACE}>{items}</oml:data_qualities>"


def _task(parts):
    number = int(parts[0])
    if number not in TASKS:
        return 412, _error(151, "Unknown task")
    data_id, type_id, type_name, target = TASKS[number]
    feature = f"<oml:target_feature>{target}</oml:target_feature>" if target else ""
    return (
        200,
        f"""<oml:task {NAMESPACE}><oml:task_id>{number}</oml:task_id>
  <oml:task_type_id>{type_id}</oml:task_type_id><oml:task_type>{type_name}</oml:task_type>
  <oml:input name="source_data"><oml:data_set><oml:data_set_id>{data_id}</oml:data_set_id>
  {feature}</oml:data_set></oml:input>
  <oml:input name="estimation_procedure"><oml:estimation_procedure><oml:id>1</oml:id>
  <oml:type>crossvalidation</oml:type><oml:data_splits_url>http://none</oml:data_splits_url>
  <oml:parameter name="number_repeats">1</oml:parameter>
  <oml:parameter name="number_folds">10</oml:parameter>
  </oml:estimation_procedure></oml:input></oml:task>""",
    )


def _study(parts):
    if parts[0] != "99":
        return 412, _error(103, "Study not found")
    tasks = "".join(f"<oml:task_id>{own}</oml:task_id>" for own in TASKS)
    data = "".join(f"<oml:data_id>{own}</oml:data_id>" for own in DATASETS)
    return (
        200,
        f"""<oml:study {NAMESPACE}><oml:id>99</oml:id>
  <oml:main_entity_type>task</oml:main_entity_type><oml:name>Small suite</oml:name>
  <oml:description>Invented.</oml:description><oml:status>active</oml:status>
  <oml:creation_date>2020-01-01</oml:creation_date><oml:creator>1</oml:creator>
  <oml:data>{data}</oml:data><oml:tasks>{tasks}</oml:tasks></oml:study>""",
    )


def _evaluations(parts):
    options = dict(zip(parts[1::2], parts[2::2], strict=True))
    measure, task = options["function"], int(options["task"])
    wanted = {int(own) for own in options["flow"].split(",")} if "flow" in options else None
    found = [
        own
        for own in EVALUATIONS.get((task, measure), [])
        if wanted is None or SETUPS[own[1]][0] in wanted
    ]
    start = int(options.get("offset", 0))
    found = found[start : start + int(options.get("limit", 10_000))]
    if not found:
        return 412, _error(542, "No results")
    data_id = TASKS[task][0]
    items = "".join(
        f"<oml:evaluation><oml:run_id>{run}</oml:run_id><oml:task_id>{task}</oml:task_id>"
        f"<oml:setup_id>{setup}</oml:setup_id><oml:flow_id>{SETUPS[setup][0]}</oml:flow_id>"
        f"<oml:flow_name>{FLOWS[SETUPS[setup][0]]}(1)</oml:flow_name>"
        f"<oml:data_id>{data_id}</oml:data_id><oml:data_name>{DATASETS[data_id]['name']}"
        f"</oml:data_name><oml:function>{measure}</oml:function><oml:upload_time>2020-01-01"
        f"</oml:upload_time><oml:uploader>1</oml:uploader><oml:value>{value}</oml:value>"
        f"</oml:evaluation>"
        for run, setup, value in found
    )
    return 200, f"<oml:evaluations {NAMESPACE}>{items}</oml:evaluations>"


def _users(parts):
    user = "<oml:user><oml:id>1</oml:id><oml:username>someone</oml:username></oml:user>"
    return 200, f"<oml:users {NAMESPACE}>{user}</oml:users>"


def _setups(parts):
    wanted = [int(own) for own in parts[parts.index("setup") + 1].split(",")]
    if "offset" in parts and int(parts[parts.index("offset") + 1]) > 0:
        return 412, _error(674, "No results")
    items = []
    for setup in wanted:
        flow, components = SETUPS[setup]
        parameters = "".join(
            f"<oml:parameter><oml:id>{setup * 1000 + number}</oml:id>"
            f"<oml:flow_id>{flow}</oml:flow_id><oml:flow_name>{component}</oml:flow_name>"
            f"<oml:full_name>{component}(1)_{name}</oml:full_name>"
            f"<oml:parameter_name>{name}</oml:parameter_name><oml:data_type/>"
            f"<oml:default_value/><oml:value>{_escape(value)}</oml:value></oml:parameter>"
            for number, (component, name, value) in enumerate(
                (component, name, value)
                for component, params in components.items()
                for name, value in params.items()
            )
        )
        items.append(
            f"<oml:setup><oml:setup_id>{setup}</oml:setup_id><oml:flow_id>{flow}</oml:flow_id>"
            f"{parameters}</oml:setup>"
        )
    return 200, f"<oml:setups {NAMESPACE}>{''.join(items)}</oml:setups>"


def _escape(value):
    assert json.loads(value) is not None
    return value.replace("&", "&amp;").replace("<", "&lt;")
