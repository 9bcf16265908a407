# SPDX-License-Identifier: LGPL-2.1-or-later
"""A SPIFFE Workload API as agents have it: gRPC by grpcio, messages by protobuf, neither of which is ours.

It answers FetchJWTSVID alone, and holds callers to the standard: the security header, an audience, a filter that is a
SPIFFE ID.
"""

import os
import threading
from concurrent import futures

import grpc
from google.protobuf import descriptor_pb2, descriptor_pool, message_factory

METHOD = '/SpiffeWorkloadAPI/FetchJWTSVID'
PACKAGE = 'pullauth.test'
LABEL = descriptor_pb2.FieldDescriptorProto
MESSAGES = {
    'JWTSVIDRequest': [('audience', 1, True, None), ('spiffe_id', 2, False, None)],
    # A field that the standard does not have: clients pass over what they do not know.
    'JWTSVID': [('spiffe_id', 1, False, None), ('svid', 2, False, None), ('hint', 3, False, None),
                ('unheard_of', 200, False, None)],
    'JWTSVIDResponse': [('svids', 1, True, 'JWTSVID')],
}


def make_messages():
    """The classes, from the table above: no compiler of .proto files is needed."""
    file = descriptor_pb2.FileDescriptorProto(name='workload.proto', package=PACKAGE, syntax='proto3')
    for name, fields in MESSAGES.items():
        message = file.message_type.add(name=name)
        for field, number, repeated, other in fields:
            message.field.add(name=field, number=number,
                              label=LABEL.LABEL_REPEATED if repeated else LABEL.LABEL_OPTIONAL,
                              type=LABEL.TYPE_MESSAGE if other else LABEL.TYPE_STRING,
                              type_name=f'.{PACKAGE}.{other}' if other else None)
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    make = getattr(message_factory, 'GetMessageClass', None) or message_factory.MessageFactory(pool).GetPrototype
    return [make(pool.FindMessageTypeByName(f'{PACKAGE}.{name}')) for name in MESSAGES]


Request, Svid, Response = make_messages()


class Agent:
    """`svids`: the identities of the caller, as dicts of Svid's fields. `answer`: a function of request and context
    that is called in the place of the usual answer."""

    def __init__(self, path):
        self.path = path
        self.svids = []
        self.answer = None
        self.streams = None
        self.requests = []
        self.server = None

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *_):
        """Does not wait: after an answer that nobody took to its end grpcio needs seconds for it."""
        if self.server:
            self.server.stop(0)

    def start(self):
        self.server = grpc.server(futures.ThreadPoolExecutor(4), handlers=[self],
                                  options=[('grpc.max_send_message_length', -1)])
        assert self.server.add_insecure_port(f'unix:{self.path}')
        self.server.start()
        os.chmod(self.path, 0o777)

    def stop(self):
        """Closes all connections at once, and takes the socket away."""
        if self.server:
            self.server.stop(0).wait()
        self.server = None

    def service(self, call):
        if call.method != METHOD:
            return None
        if self.streams:
            return grpc.unary_stream_rpc_method_handler(self.stream, Request.FromString, Response.SerializeToString)
        return grpc.unary_unary_rpc_method_handler(self.unary, Request.FromString, bytes)

    def unary(self, request, context):
        metadata = context.invocation_metadata()
        self.requests.append((list(request.audience), request.spiffe_id, dict(metadata)))
        if [value for key, value in metadata if key == 'workload.spiffe.io'] != ['true']:
            context.abort(grpc.StatusCode.INVALID_ARGUMENT, 'security header missing from request')
        if not request.audience or not all(request.audience):
            context.abort(grpc.StatusCode.INVALID_ARGUMENT, 'audience must be specified')
        if request.spiffe_id and not request.spiffe_id.startswith('spiffe://'):
            context.abort(grpc.StatusCode.INVALID_ARGUMENT, 'invalid requested SPIFFE ID')
        if self.answer:
            return self.answer(request, context)
        found = [svid for svid in self.svids if request.spiffe_id in ('', svid['spiffe_id'])]
        if not found:
            context.abort(grpc.StatusCode.PERMISSION_DENIED, 'no identity issued')
        return self.message(found)

    @staticmethod
    def message(svids):
        return Response(svids=[Svid(**svid) for svid in svids]).SerializeToString()

    def stream(self, request, context):
        """One message after another, without an end unless `streams` has one."""
        gone = threading.Event()
        context.add_callback(gone.set)
        for pause in self.streams():
            yield Response(svids=[Svid(spiffe_id='spiffe://a/b', svid='x' * 1000)])
            if gone.wait(pause):
                return
