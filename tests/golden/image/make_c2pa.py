#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Pictures with C2PA manifests, signed by the C2PA project's own library with keys made here.

    pip install c2pa-python==0.38.1 cryptography==50.0.2 pillow==13.0.0
    python3 make_c2pa.py

Keys and signatures are new each time, so the files change; what libitem reads of them does not.
"""
import datetime
import io
from pathlib import Path

import c2pa
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID
from PIL import Image

PICTURES = Path(__file__).parent / "pictures"
TYPES = "http://cv.iptc.org/newscodes/digitalsourcetype/"
BEGIN, END = datetime.datetime(2026, 1, 1), datetime.datetime(2036, 1, 1)


def named(common):
    return x509.Name([x509.NameAttribute(NameOID.ORGANIZATION_NAME, "libitem tests"),
                      x509.NameAttribute(NameOID.COMMON_NAME, common)])


def certificate(subject, key, issuer_key, authority):
    """In PEM. C2PA asks for a chain of two, of which the second signs nothing but the first."""
    usage = dict.fromkeys(("content_commitment", "key_encipherment", "data_encipherment",
                           "key_agreement", "encipher_only", "decipher_only"), False)
    made = (x509.CertificateBuilder().subject_name(named(subject)).issuer_name(named("authority"))
            .public_key(key.public_key()).serial_number(x509.random_serial_number())
            .not_valid_before(BEGIN).not_valid_after(END)
            .add_extension(x509.BasicConstraints(authority, None), True)
            .add_extension(x509.KeyUsage(digital_signature=True, key_cert_sign=authority,
                                         crl_sign=authority, **usage), True)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), False)
            .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(
                issuer_key.public_key()), False))
    if not authority:
        made = made.add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.EMAIL_PROTECTION]), False)
    return made.sign(issuer_key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)


def make_signer():
    authority, own = (ec.generate_private_key(ec.SECP256R1()) for _ in range(2))
    chain = (certificate("signer", own, authority, False)
             + certificate("authority", authority, authority, True))
    key = own.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8,
                            serialization.NoEncryption())
    return c2pa.Signer.from_info(c2pa.C2paSignerInfo(alg=c2pa.C2paSigningAlg.ES256, sign_cert=chain,
                                                     private_key=key, ta_url=None))


def signed(signer, form, picture, actions=None, version=2, made_from=None, compressed=False,
           maker="libitem tests"):
    """The picture's bytes with one manifest more; without actions it is an update of the last one."""
    settings = {"builder": {"thumbnail": {"enabled": False}},
                "core": {"compress_manifests": compressed, "prefer_compress_manifests": compressed}}
    told = [{"label": "c2pa.actions", "data": {"actions": actions}}] if actions else []
    builder = c2pa.Builder({"claim_version": version, "assertions": told,
                            "claim_generator_info": [{"name": maker, "version": "1.0"}]},
                           c2pa.Context(c2pa.Settings.from_dict(settings)))
    if not actions:
        builder.set_intent(c2pa.C2paBuilderIntent.UPDATE)
    if made_from:
        builder.add_ingredient({"title": "before", "relationship": "parentOf",
                                "instance_id": "xmp:iid:before"}, form, io.BytesIO(made_from))
    out = io.BytesIO()
    builder.sign(signer, form, io.BytesIO(picture), out)
    return out.getvalue()


def plain(form):
    """19 x 13 pixels of two waves."""
    out = io.BytesIO()
    pixels = bytes((x * 11 + y * 7 * c) % 256 for y in range(13) for x in range(19) for c in (1, 2, 3))
    Image.frombytes("RGB", (19, 13), pixels).save(out, form)
    return out.getvalue()


def action(name, kind=None, **more):
    return {"action": "c2pa." + name, **({"digitalSourceType": TYPES + kind} if kind else {}), **more}


def pictures(signer):
    png, jpeg = plain("PNG"), plain("JPEG")
    avif = (PICTURES / "origin.avif").read_bytes()
    created, taken = [action("created", "trainedAlgorithmicMedia")], [action("created", "digitalCapture")]
    opened = [action("opened", parameters={"ingredientIds": ["xmp:iid:before"]})]
    filled = [*opened, action("edited", "trainedAlgorithmicMedia")]
    generated = signed(signer, "image/png", png, created, maker="generator")
    camera = signed(signer, "image/png", png, taken, maker="camera")
    photograph = signed(signer, "image/jpeg", jpeg, taken, maker="camera")
    yield "c2pa_created.png", signed(signer, "image/png", png, created)
    yield "c2pa_created.webp", signed(signer, "image/webp", plain("WEBP"), created)
    yield "c2pa_version_1.jpg", signed(signer, "image/jpeg", jpeg, created, 1)
    yield "c2pa_edited.jpg", signed(signer, "image/jpeg", photograph, filled, made_from=photograph)
    yield "c2pa_opened.png", signed(signer, "image/png", generated, opened, made_from=generated)
    yield "c2pa_compressed.png", signed(signer, "image/png", camera, filled, made_from=camera,
                                        compressed=True)
    yield "c2pa_updated.png", signed(signer, "image/png", generated)
    yield "c2pa_updated.avif", signed(signer, "image/avif", signed(signer, "image/avif", avif, created,
                                                                  maker="generator"))


def main():
    for name, data in pictures(make_signer()):
        (PICTURES / name).write_bytes(data)
        print(name, len(data))


if __name__ == "__main__":
    main()
