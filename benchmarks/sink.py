"""An OTLP sink in a process of its own, so that it takes nothing from the process that measures or is measured.

    python benchmarks/sink.py [--latency SECONDS]

Prints its address. Reads every request, waits, answers 200. `GET /spans` tells how many spans came.
"""

import argparse
import asyncio

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

counted = {"spans": 0, "requests": 0}


async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, latency: float, count: bool) -> None:
    """Answer the requests of one connection."""
    try:
        while line := await reader.readline():
            target, length = line.split(b" ")[1], 0
            while (header := await reader.readline()) not in (b"\r\n", b""):
                if header.lower().startswith(b"content-length:"):
                    length = int(header.split(b":")[1])
            body = await reader.readexactly(length)
            answer = b""
            if target == b"/spans":
                answer = str(counted["spans"]).encode()
            else:
                counted["requests"] += 1
                if count and target == b"/v1/traces":
                    message = ExportTraceServiceRequest.FromString(body)
                    counted["spans"] += sum(len(s.spans) for r in message.resource_spans for s in r.scope_spans)
                await asyncio.sleep(latency)
            writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n%s" % (len(answer), answer))
            await writer.drain()
    except (ConnectionError, asyncio.IncompleteReadError):
        pass
    finally:
        writer.close()


async def main() -> None:
    """Serve until killed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--latency", type=float, default=0.0)
    parser.add_argument("--count", action="store_true", help="decode and count spans")
    options = parser.parse_args()
    server = await asyncio.start_server(lambda r, w: serve(r, w, options.latency, options.count), "127.0.0.1", 0)
    print(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}", flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main())
