"""The HTTPS listener as a scanner sees it: Mozilla's "intermediate" policy, a right chain, none of the known holes."""
import json
import os
import subprocess

import pytest

SSLYZE = os.environ.get("SSLYZE")
WEAK = ("ssl_2_0_cipher_suites", "ssl_3_0_cipher_suites", "tls_1_0_cipher_suites", "tls_1_1_cipher_suites")
SUITES_12 = {f"TLS_ECDHE_{key}_WITH_{rest}" for key in ("ECDSA", "RSA") for rest in (
    "AES_128_GCM_SHA256", "AES_256_GCM_SHA384", "CHACHA20_POLY1305_SHA256")}
SUITES_13 = {"TLS_AES_128_GCM_SHA256", "TLS_AES_256_GCM_SHA384", "TLS_CHACHA20_POLY1305_SHA256"}
GROUPS = {"X25519", "secp256r1", "secp384r1"}

pytestmark = pytest.mark.skipif(not SSLYZE, reason="SSLYZE names no scanner; Tests/run installs one (requirements-scan.txt)")


@pytest.fixture(scope="module", params=["the zone", "a tunnel"])
def scan(request, service, tmp_path_factory):
    """What sslyze finds out about a host of the service."""
    host = "localhost" if request.param == "the zone" else service.tunnel().host
    report = tmp_path_factory.mktemp("scan") / "report.json"
    out = subprocess.run([SSLYZE, "--sni", host, "--certinfo_ca_file", service.ca, "--json_out", report, "--mozilla_config=intermediate", "--early_data",
                          f"127.0.0.1:{service.https_port}"], capture_output=True, text=True, timeout=80)
    assert out.returncode == 0, out.stdout[-3000:] + out.stderr
    results = json.loads(report.read_text())["server_scan_results"]
    assert [r["scan_status"] for r in results] == ["COMPLETED"], results
    found = results[0]["scan_result"]
    failed = [name for name, part in found.items() if part and part["status"] not in ("COMPLETED", "NOT_SCHEDULED")]
    assert not failed, failed
    return {name: part["result"] for name, part in found.items() if part and part["status"] == "COMPLETED"}, host


def accepted(part):
    return {s["cipher_suite"]["name"] for s in part["accepted_cipher_suites"]}


def test_no_old_protocol_and_no_weak_suite(scan):
    found, _ = scan
    for protocol in WEAK:
        assert accepted(found[protocol]) == set(), protocol
    suites = accepted(found["tls_1_2_cipher_suites"])
    assert suites and suites <= SUITES_12
    assert accepted(found["tls_1_3_cipher_suites"]) == SUITES_13


def test_keys_are_agreed_on_strong_curves_only(scan):
    found, _ = scan
    assert {c["name"] for c in found["elliptic_curves"]["supported_curves"]} == GROUPS


def test_the_chain_is_right_and_in_order(scan):
    found, host = scan
    deployments = found["certificate_info"]["certificate_deployments"]
    assert deployments
    for deployment in deployments:
        assert deployment["received_chain_has_valid_order"] and not deployment["verified_chain_has_sha1_signature"]
        assert host in deployment["received_certificate_chain"][0]["subject_alternative_name"]["dns_names"]
        verdicts = {v["trust_store"]["name"]: v["was_validation_successful"] for v in deployment["path_validation_results"]}
        assert verdicts["Supplied CA file"], verdicts


def test_none_of_the_known_holes(scan):
    found, _ = scan
    assert not found["heartbleed"]["is_vulnerable_to_heartbleed"]
    assert not found["openssl_ccs_injection"]["is_vulnerable_to_ccs_injection"]
    assert found["robot"]["robot_result"].startswith("NOT_VULNERABLE")
    assert not found["tls_compression"]["supports_compression"]
    renegotiation = found["session_renegotiation"]
    assert renegotiation["supports_secure_renegotiation"] and not renegotiation["is_vulnerable_to_client_renegotiation_dos"]
    assert not found["tls_1_3_early_data"]["supports_early_data"], "early data can be replayed"
    assert found["tls_fallback_scsv"]["supports_fallback_scsv"]
