"""Codecs: audio to octets and back."""

from ansam.codec.g711 import Law, decode_alaw, decode_ulaw, encode_alaw, encode_ulaw

__all__ = ["Law", "decode_alaw", "decode_ulaw", "encode_alaw", "encode_ulaw"]
