"""Every kind of mail in Japanese: no English is left, and the main sentence is there."""

from __future__ import annotations

import re

import pytest
from django.utils import timezone

from fedisec.alerts.letter import letter_of
from fedisec.instances.models import Instance
from tests.alerts.letters.samples import NOW, SAMPLES, Post

SAID = {
    "regression": ("2件が未達成になりました（うち必須1件）／2件が再び達成されました", "4:31から5:02（JST）まで、未達成でした。"),
    "recovery": ("1件が再び達成されました", "未達成の項目はありません。"),
    "many": ("サーバ4台: 応答なし1台／必須の6件が未達成になりました", "上の server2.example と同じです。"),
    "unreachable": ("応答がありません", "2026年11月22日5:15（JST）から、example.social が外からの接続に応答していません。"),
    "reached-again": ("一時的に応答がありませんでした", "現在は再び応答しています。"),
    "flapping": ("不安定な項目1件／安定した項目1件", "24時間変わらなければ"),
    "blind": ("3件を確認できません", "達成しているかどうかはわかりません。"),
    "certificate": ("証明書はあと6日で期限切れ", "2026年11月29日3:31（JST）に期限が切れます。"),
    "host-key": ("example.social: ", "ログインしていません"),
    "reminder": ("3件が未達成のままです", "2026年10月13日から（1ヶ月）"),
    "ending": ("回答1件の期限が切れました／回答2件の期限が近づいています", "再び回答待ちになります。"),
    "digest": ("今週は悪化1件、改善2件", "新しい基準による再判定"),
    "calm-digest": ("今週は変化なし", "変化はありませんでした。"),
    "news": ("Mastodon 4.5.19 が出ました（緊急）／脆弱性情報1件", "該当するサーバ："),
    "outage": ("一時的にネットワークが使えませんでした", "待っていたスキャンが212件"),
    "standstill": ("fedisec がしばらく動いていませんでした", "失われたものはありません。"),
    "trial": ("テストメール", "依頼されたテストメールです。"),
}  # fmt: skip
# Three English words in a row: texts of ours are none of the evidence, commands and addresses of the samples.
ENGLISH = re.compile(r"\b[A-Z]?[a-z']+ [a-z']+ [a-z']+\b")
QUOTED = (
    "userauth methods",
    "TXT example",
    "  certbot",
    "systemctl",
    "journalctl",
    "location",
    "OpenSSH: a race",
    "example.social.  IN",
)


@pytest.mark.parametrize("name", SAMPLES)
def test_a_japanese_mail_is_japanese(
    name: str, post: Post, instance: Instance, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(timezone, "now", lambda: NOW)
    assert post.user is not None
    post.user.language, post.user.time_zone = "ja", "Asia/Tokyo"
    mail = letter_of(SAMPLES[name](post, instance))
    for part in SAID[name]:
        assert part in f"{mail.subject}\n{mail.body}", part
    for line in (str(mail.subject), *str(mail.body).splitlines()):
        assert not ENGLISH.search(line) or any(part in line for part in QUOTED), line
