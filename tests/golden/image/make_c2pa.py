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
NO_THUMBNAILS = {"builder": {"thumbnail": {"enabled": False}}}
BEGIN, END = datetime.datetime(2026, 1, 1), datetime.datetime(2036, 1, 1)


def name(common):
    return x509.Name([x509.NameAttribute(NameOID.ORGANIZATION_NAME, "libitem tests"),
                      x509.NameAttribute(NameOID.COMMON_NAME, common)])


def certificate(subject, key, issuer_key, authority):
    """In PEM. C2PA asks for a chain of two, of which the second signs nothing but the first."""
    usage = dict.fromkeys(("content_commitment", "key_encipherment", "data_encipherment",
                           "key_agreement", "encipher_only", "decipher_only"), False)
    made = (x509.CertificateBuilder().subject_name(name(subject)).issuer_name(name("authority"))
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


def signed(signer, form, picture, actions, version=2, made_from=None):
    """The picture's bytes with one manifest more."""
    builder = c2pa.Builder({"claim_version": version,
                            "claim_generator_info": [{"name": "libitem tests", "version": "1.0"}],
                            "assertions": [{"label": "c2pa.actions", "data": {"actions": actions}}]},
                           c2pa.Context(c2pa.Settings.from_dict(NO_THUMBNAILS)))
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


def main():
    signer = make_signer()
    created = [{"action": "c2pa.created", "digitalSourceType": TYPES + "trainedAlgorithmicMedia"}]
    edited = [{"action": "c2pa.opened", "parameters": {"ingredientIds": ["xmp:iid:before"]}},
              {"action": "c2pa.edited",
               "digitalSourceType": TYPES + "compositeWithTrainedAlgorithmicMedia"}]
    taken = [{"action": "c2pa.created", "digitalSourceType": TYPES + "digitalCapture"}]
    camera = signed(signer, "image/jpeg", plain("JPEG"), taken)
    for file, data in (
            ("c2pa_created.png", signed(signer, "image/png", plain("PNG"), created)),
            ("c2pa_created.webp", signed(signer, "image/webp", plain("WEBP"), created)),
            ("c2pa_version_1.jpg", signed(signer, "image/jpeg", plain("JPEG"), created, 1)),
            ("c2pa_edited.jpg", signed(signer, "image/jpeg", camera, edited, made_from=camera))):
        (PICTURES / file).write_bytes(data)
        print(file, len(data))


if __name__ == "__main__":
    main()
