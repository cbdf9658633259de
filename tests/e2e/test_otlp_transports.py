"""OTLP by TLS and gRPC, with headers and certificates by the standard variables, seen from where it leads to."""

from pathlib import Path

from tests.support.command import Running
from tests.support.grpc_receiver import GrpcReceiver
from tests.support.tls import TlsReceiver, make_certificates

from libraries_io_mcp.demo.otlp_receiver import OtlpReceiver

CALL = "tools/call get_quota_status"


def session(folder: Path, **variables: str) -> Running:
    """One session with one call, from start to end; the server has ended when this returns."""
    with Running(folder=folder, **variables) as server:
        server.initialize()
        assert not server.call("get_quota_status")["isError"]
        assert server.end("EOF") == 0
    return server


def test_tls_and_headers_by_the_standard_variables(tmp_path: Path):
    authority, context = make_certificates(tmp_path)
    token = "Bearer hush-hush-token"
    with TlsReceiver(context, "authorization") as receiver:
        server = session(
            tmp_path,
            LOG_LEVEL="DEBUG",
            OTEL_EXPORTER_OTLP_ENDPOINT=receiver.endpoint,
            OTEL_EXPORTER_OTLP_CERTIFICATE=str(authority),
            OTEL_EXPORTER_OTLP_HEADERS=f"authorization={token.replace(' ', '%20')}",
        )
    assert set(receiver.paths) == {"/v1/traces", "/v1/metrics", "/v1/logs"}
    assert set(receiver.headers) == {token}
    assert "hush-hush" not in server.stderr


def test_headers_may_come_from_a_file(tmp_path: Path):
    authority, context = make_certificates(tmp_path)
    (tmp_path / "headers").write_text("authorization=Bearer%20from-a-file\n")
    with TlsReceiver(context, "authorization") as receiver:
        session(
            tmp_path,
            OTEL_EXPORTER_OTLP_ENDPOINT=receiver.endpoint,
            OTEL_EXPORTER_OTLP_CERTIFICATE=str(authority),
            OTEL_EXPORTER_OTLP_HEADERS_FILE=str(tmp_path / "headers"),
        )
    assert set(receiver.headers) == {"Bearer from-a-file"}


def test_a_certificate_nobody_vouches_for_is_refused(tmp_path: Path):
    _, context = make_certificates(tmp_path)
    with TlsReceiver(context, "authorization") as receiver:
        server = session(tmp_path, OTEL_EXPORTER_OTLP_ENDPOINT=receiver.endpoint)
        assert receiver.paths == []
    assert [line for line in server.log_lines() if "not delivered" in line["message"]]


def test_grpc_with_headers(tmp_path: Path):
    with GrpcReceiver() as receiver:
        session(
            tmp_path,
            OTEL_EXPORTER_OTLP_ENDPOINT=receiver.endpoint,
            OTEL_EXPORTER_OTLP_PROTOCOL="grpc",
            OTEL_EXPORTER_OTLP_HEADERS="x-token=abcdef",
        )
        assert set(receiver.messages) == {"traces", "metrics", "logs"}
        assert CALL in str(receiver.messages["traces"])
        assert all(each["x-token"] == "abcdef" for each in receiver.metadata)


def test_the_protocol_of_one_signal(tmp_path: Path):
    with GrpcReceiver() as by_grpc, OtlpReceiver() as by_http:
        session(
            tmp_path,
            OTEL_EXPORTER_OTLP_ENDPOINT=by_http.endpoint,
            OTEL_EXPORTER_OTLP_TRACES_ENDPOINT=by_grpc.endpoint,
            OTEL_EXPORTER_OTLP_TRACES_PROTOCOL="grpc",
        )
        assert set(by_grpc.messages) == {"traces"}
        assert by_http.spans == ()
        assert by_http.logs
