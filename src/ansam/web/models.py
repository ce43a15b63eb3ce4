"""What requests and answers look like: the OpenAPI document is made of these too."""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

Name = Annotated[str, Field(max_length=64)]
Number = Annotated[str, Field(max_length=32)]
Severity = Literal["breaks", "harms", "remark", ""]
RunState = Literal["working", "ready", "failed"]


class Model(BaseModel):
    """Base of what is sent."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Body(BaseModel):
    """Base of what is received: types of JSON, no other keys."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


class Query(BaseModel):
    """Base of what stands behind the ``?``: text, read as what it is for."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Problem(Model):
    """What went wrong, and what helps."""

    message: str
    remedy: str


class ErrorAnswer(Model):
    """Answer of every request that failed."""

    error: Problem


class Health(Model):
    """The server answers."""

    status: Literal["ok"]


class Login(Body):
    """Who wants in."""

    user: Annotated[str, Field(min_length=1, max_length=64)]
    password: Annotated[str, Field(max_length=1024)]


class SessionInfo(Model):
    """Who asks, and what there is."""

    user: str
    role: Literal["viewer", "operator", "admin"]
    csrf: str
    version: str
    loopback: bool
    open: bool
    features: list[str]


class Nothing(Body):
    """An empty object."""


class Lights(Model):
    """The lamps of a faceplate."""

    HS: bool
    AA: bool
    CD: bool
    OH: bool
    RD: bool
    SD: bool
    TR: bool
    MR: bool
    RS: bool
    CS: bool
    SYN: bool
    ARQ: bool


class Modem(Model):
    """A modem as its faceplate shows it."""

    id: str
    name: str
    extension: str
    personality: str
    state: Literal["offline", "idle", "dialling", "ringing", "handshake", "connected"]
    number: str
    rate: int
    connect: str
    seconds: float
    terminal: bool
    terminal_in_use: bool
    lights: Lights


class Modems(Model):
    """All of them."""

    modems: list[Modem]


class Dial(Body):
    """What follows ATD."""

    string: Annotated[str, Field(pattern=r"^[0-9A-Da-d*#,@!WwPpTt() .-]{1,60}$")]


class Volume(Body):
    """ATL; 0 is ATM0."""

    level: Annotated[int, Field(ge=0, le=3)]


class ExtensionInfo(Model):
    """An extension without its secret."""

    number: str
    name: str
    call_limit: int
    ring_seconds: float
    forward_busy: str
    forward_no_answer: str
    forward_unreachable: str
    registered: int


class Extensions(Model):
    """All of them."""

    extensions: list[ExtensionInfo]


class ExtensionChange(Body):
    """What of an extension is to be changed."""

    secret: Annotated[str, Field(min_length=1, max_length=256)] | None = None
    name: Name | None = None
    call_limit: Annotated[int, Field(ge=1, le=1000)] | None = None
    ring_seconds: Annotated[float, Field(ge=0, le=3600, allow_inf_nan=False)] | None = None
    forward_busy: Number | None = None
    forward_no_answer: Number | None = None
    forward_unreachable: Number | None = None


class NewExtension(ExtensionChange):
    """An extension that is to be."""

    number: Annotated[str, Field(pattern=r"^[0-9A-Za-z*#_.+-]{1,32}$")]


class AddedExtension(Model):
    """The extension, and its secret where it was made up."""

    extension: ExtensionInfo
    secret: str | None


class RegistrationInfo(Model):
    """Where an extension is reached."""

    number: str
    name: str
    contact: str
    transport: str
    address: str
    port: int
    expires_seconds: int
    user_agent: str


class Registrations(Model):
    """All of them."""

    registrations: list[RegistrationInfo]


class GroupInfo(Model):
    """A hunt group."""

    number: str
    name: str
    members: list[str]
    strategy: str
    ring_seconds: float
    limit: int


class Groups(Model):
    """All of them."""

    groups: list[GroupInfo]


class TrunkInfo(Model):
    """A way to another exchange."""

    name: str
    host: str
    state: str
    text: str


class Trunks(Model):
    """All of them."""

    trunks: list[TrunkInfo]


class LiveCallInfo(Model):
    """A call that is up."""

    id: str
    caller: str
    callee: str
    answered_by: str
    state: Literal["ringing", "talking"]
    seconds: float
    trunk: str


class LiveCalls(Model):
    """All of them."""

    calls: list[LiveCallInfo]


class CallSearch(Query):
    """Which call records."""

    search: Annotated[str, Field(max_length=64)] = ""
    limit: Annotated[int, Field(ge=1, le=500)] = 50
    before: Annotated[int, Field(ge=1, le=2**31 - 1)] | None = None


class CallFilter(Query):
    """Which call records, all of them."""

    search: Annotated[str, Field(max_length=64)] = ""


class CallInfo(Model):
    """A call record."""

    id: int
    caller: str
    callee: str
    answered_by: str
    started: str
    answered: str | None
    ended: str
    seconds: float
    cause: str
    reason: str
    status: int
    caller_packets: int | None
    caller_lost: int | None
    callee_packets: int | None
    callee_lost: int | None


class Calls(Model):
    """A page of call records, newest first."""

    calls: list[CallInfo]
    next: int | None


class AdaptorSetting(Model):
    """A setting as the PAP2T calls it."""

    key: str
    page: str
    name: str
    value: str
    choices: list[str]
    wanted: str
    fits: bool
    severity: Severity
    why: str
    editable: bool


class AdaptorInfo(Model):
    """An adaptor: the line of one of our modems, or a box."""

    id: str
    kind: Literal["software", "hardware"]
    model: str
    title: str
    applies: str
    fit: bool
    settings: list[AdaptorSetting]


class Adaptors(Model):
    """All of them."""

    adaptors: list[AdaptorInfo]


class AdaptorChange(Body):
    """New values by their keys."""

    id: Annotated[str, Field(min_length=1, max_length=64)]
    settings: Annotated[dict[str, Annotated[str, Field(max_length=256)]], Field(min_length=1, max_length=100)]


class UploadName(Query):
    """What an uploaded file is called."""

    name: Annotated[str, Field(max_length=200)] = "recording"


class HeardEntry(Model):
    """One signal that was heard."""

    role: Literal["calling", "answering"]
    channel: int
    start: float
    end: float
    what: str
    text: str
    details: dict[str, object]


class HeardTold(Model):
    """What a modem told of itself, where its bundle was uploaded; `at` is in seconds of the sound."""

    at: float
    kind: Literal["phase", "note", "at"]
    name: str
    text: str
    side: str
    clause: str


class Heard(Model):
    """What `ansam listen` says."""

    seconds: float
    rate: int
    channels: dict[str, int]
    remarks: list[str]
    entries: list[HeardEntry]
    told: list[HeardTold] = []


class RecordingInfo(Model):
    """An uploaded recording."""

    id: str
    name: str
    kind: Literal["wav", "pcap", "bundle"]
    size: int
    uploaded: str
    state: RunState
    error: str = ""
    seconds: float = 0.0
    channels: int = 0
    report: Heard | None = None


class Recordings(Model):
    """All of them, newest first."""

    recordings: list[RecordingInfo]
    upload_limit: int
    quota: int
    used: int


class DoctorOrder(Body):
    """Whom the doctor is to call."""

    target: Annotated[str, Field(min_length=1, max_length=200, pattern=r"^[!-~]+$")]
    seconds: Annotated[float, Field(ge=5, le=60, allow_inf_nan=False)] = 10.0


class DoctorRun(Model):
    """An examination."""

    id: str
    target: str
    state: RunState
    started: str
    ended: str | None = None
    error: str = ""
    grade: Literal["good", "fair", "bad", ""] = ""
    summary: str = ""
    diagnosis: dict[str, object] | None = None


class DoctorRuns(Model):
    """All that are kept, newest first."""

    runs: list[DoctorRun]
