#!/usr/bin/env python3
"""`make bench-search`: searches per second and their latency over 100,000 contents and over 1,000,000, of two tenants of one database;
prints figures and asserts none.

Release builds, over the gateway and content-center, authentication and limits on. SMALL=100000 LARGE=1000000 SECONDS_EACH=20 ROUNDS=3
change what is measured. The contents are made in the database: phrases put together by arithmetic, their tokens as SearchTokens has them.
"""

import base64
import json
import os
import pathlib
import random
import statistics
import subprocess
import urllib.parse
import urllib.request

from common import EXECUTABLES, HERE, release_stack, run_wrk
from parts.demo import sign_in
from parts.layout import StackError
from parts.postgres import BINARIES
from parts.processes import say
from parts.stack import Stack

SMALL = int(os.environ.get("SMALL", "100000"))
LARGE = int(os.environ.get("LARGE", "1000000"))
DURATION = int(os.environ.get("SECONDS_EACH", "20"))
ROUNDS = int(os.environ.get("ROUNDS", "3"))
CONNECTIONS = 2
MEMBERS = ["DEMO", "DEMO2"]

PRODUCTS = "防晒霜 洗面奶 面膜 精华液 眼霜 口红 粉底液 卸妆油 身体乳 洗发水 护发素 电动牙刷 吹风机 空气炸锅 咖啡机 电饭煲 破壁机 保温杯 行李箱 双肩包 跑步鞋 瑜伽垫 筋膜枪 婴儿车 " \
    "纸尿裤 奶粉 猫砂盆 猫粮 狗粮 手机壳 充电宝 蓝牙耳机 机械键盘 显示器 床垫 四件套 羽绒服 瑜伽裤".split()
PEOPLE = "油皮 敏感肌 学生党 上班族 新手妈妈 孕妇 租房 老人 男生 健身 出差 养宠家庭".split()
ASPECTS = "平价 测评 避坑 成分 清洗 送礼 开箱 对比 教程 换季 通勤 大促".split()
PLAIN = "我们 可以 一个 时候 需要 自己 真的 喜欢 每天 朋友 推荐 使用 感觉 方法 问题 时间 生活 简单 选择 非常 价格 效果 适合 建议 记得 收藏 分享 容易 注意 舒服".split()


def tokens(text: str) -> list[str]:
    return sorted(set(text) | {text[place:place + 2] for place in range(len(text) - 1)})


def phrases() -> list[tuple[str, str, list[str]]]:
    """(class, text, tokens): what titles say, and what bodies say, the common ones first."""
    dice = random.Random(20261128)
    words = PLAIN + ["".join(chr(0x4E00 + dice.randrange(3_000)) for _ in range(2)) for _ in range(3_000)]
    titles = [f"{person}{product}{aspect}" for product in PRODUCTS for person in PEOPLE for aspect in ASPECTS]
    bodies = ["".join(words[min(int(dice.paretovariate(0.6)) - 1, len(words) - 1)] for _ in range(6)) for _ in range(20_000)]
    return [("title", text, tokens(text)) for text in titles] + [("body", text, tokens(text)) for text in bodies]


def queries(path: pathlib.Path) -> None:
    """Rare and common, short and long; some have no match."""
    dice = random.Random(7)
    texts = []
    for _ in range(400):
        product, person, aspect = dice.choice(PRODUCTS), dice.choice(PEOPLE), dice.choice(ASPECTS)
        texts.append(dice.choice([
            product, f"{person}{product}", f"{person} {aspect}", f"{aspect}{product}{person}", f"{person}用什么{product}", dice.choice(PLAIN),
            f"{dice.choice(PLAIN)}{dice.choice(PLAIN)}", person, f"{product}龘靐"]))
    path.write_text("\n".join(urllib.parse.quote(text) for text in texts) + "\n")


class SearchBench:
    def __init__(self, stack: Stack, directory: pathlib.Path):
        self.stack, self.directory = stack, directory
        # Theirs are the contents: the small tenant's and the large one's.
        self.tenants = [tenant_of(self.token(name)) for name in MEMBERS]

    def token(self, name: str) -> str:
        demo = self.stack.demo
        return sign_in(self.stack.layout.url("gateway-bff"), demo[f"{name}_EMAIL"], demo[f"{name}_PASSWORD"])

    def sql(self, statements: str) -> str:
        result = subprocess.run(
            [BINARIES / "psql", "-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1", self.stack.postgres.url("content")],
            input=statements, capture_output=True, text=True, check=False)
        if result.returncode != 0:
            raise StackError(result.stderr)
        return result.stdout.strip()

    def fill(self) -> None:
        rows = "".join(
            f"{kind}\t{number}\t{text}\t{{{','.join(tokens)}}}\t{{{','.join('t:' + token for token in tokens)}}}\n"
            for number, (kind, text, tokens) in enumerate(phrases()))
        file = self.directory / "phrases.tsv"
        file.write_text(rows)
        self.sql(f"""
            CREATE UNLOGGED TABLE phrases (kind text, number integer, text text, tokens text[], titled text[]);
            \\copy phrases FROM '{file}'
            CREATE UNLOGGED TABLE titles AS SELECT row_number() OVER (ORDER BY number) - 1 AS n, text, tokens || titled AS tokens
                FROM phrases WHERE kind = 'title';
            CREATE UNLOGGED TABLE bodies AS SELECT row_number() OVER (ORDER BY number) - 1 AS n, text, tokens FROM phrases WHERE kind = 'body';
            ALTER TABLE titles ADD PRIMARY KEY (n);
            ALTER TABLE bodies ADD PRIMARY KEY (n);
            ANALYZE titles; ANALYZE bodies;
            DROP INDEX search_documents_terms;""")
        for tenant, count in zip(self.tenants, (SMALL, LARGE)):
            for start in range(0, count, 50_000):
                self.sql(self.documents(tenant, start, min(start + 50_000, count)))
        self.sql("""
            SET maintenance_work_mem = '1GB';
            CREATE INDEX search_documents_terms ON search_documents USING gin (terms) WITH (gin_pending_list_limit = 1024);""")
        self.sql("VACUUM ANALYZE contents; VACUUM ANALYZE content_versions; VACUUM ANALYZE search_documents;")

    @staticmethod
    def documents(tenant: str, start: int, end: int) -> str:
        """Past triggers and foreign keys; ids, times and segments as the service would have them."""
        return f"""
            SET session_replication_role = replica;
            SET work_mem = '256MB';
            CREATE TEMP TABLE made AS
            SELECT ('0190' || lpad(to_hex(d.n), 8, '0') || '7000' || '8000' || substr('{tenant}', 1, 12 - 4) || '0000')::uuid AS id,
                   d.n / search_segment_size() AS segment, t.text AS title, string_agg(b.text, '，') AS body,
                   t.tokens AS title_tokens, array_agg(b.tokens::text) AS body_tokens,
                   now() - ({LARGE} - d.n) * interval '20 seconds' AS at
            FROM generate_series({start}, {end} - 1) AS d (n)
            JOIN titles t ON t.n = (hashint4extended(d.n, 1) & 2147483647) % (SELECT count(*) FROM titles)
            CROSS JOIN generate_series(1, 8) AS s (place)
            JOIN bodies b ON b.n = (hashint4extended(d.n, 1 + s.place) & 2147483647) % (SELECT count(*) FROM bodies)
            GROUP BY d.n, t.text, t.tokens;
            INSERT INTO contents (tenant_id, id, kind, status, version, title, created_at, updated_at)
                SELECT '{tenant}', id, 'copy', 'draft', 1, title, at, at FROM made ORDER BY id;
            INSERT INTO content_versions (tenant_id, content_id, version, title, body, source_kind, author, created_at)
                SELECT '{tenant}', id, 1, title, json_build_object('topic', title, 'platform', 'douyin', 'text', body, 'hashtags', '[]'::json)::jsonb,
                       'human', 'bench', at FROM made;
            INSERT INTO search_segments (tenant_id, segment) SELECT DISTINCT '{tenant}'::uuid, segment FROM made WHERE segment > 0
                ON CONFLICT DO NOTHING;
            INSERT INTO search_documents
                (tenant_id, id, segment, version, kind, status, completeness, created_at, updated_at, body, terms, reading)
                SELECT '{tenant}', id, segment, 1, 'copy', 'draft', 'draft', at, at, title || E'\\n' || body,
                       search_terms(title_tokens || ARRAY(SELECT DISTINCT t FROM unnest(body_tokens) AS b, unnest(b::text[]) AS t),
                                    search_seed('{tenant}', segment)), 1
                FROM made ORDER BY id;"""

    def measure(self) -> None:
        gateway, file = self.stack.layout.url("gateway-bff"), self.directory / "queries.txt"
        queries(file)
        tokens = dict(zip(self.tenants, map(self.token, MEMBERS)))
        sizes = dict(zip(self.tenants, (SMALL, LARGE)))
        for tenant, token in tokens.items():
            self.check(gateway, token)
            wrk(gateway, token, file, DURATION)
        reports: dict[str, list[dict]] = {tenant: [] for tenant in tokens}
        for _ in range(ROUNDS):
            for tenant, token in tokens.items():
                reports[tenant].append(wrk(gateway, token, file, DURATION))
        say(f"searches over the gateway, {CONNECTIONS} connections, 400 queries, {ROUNDS} x {DURATION} s, interleaved")
        typical = {}
        for tenant, found in reports.items():
            typical[tenant] = statistics.median(milliseconds(report["p99"]) for report in found)
            say(f"      {sizes[tenant]:>9,} contents: " + "; ".join(
                f"{report['rate']:.0f}/s p50 {report['p50']} p99 {report['p99']}" for report in found))
        small, large = typical.values()
        say(f"      ratio of the median p99: {large / small:.2f} (aim: at most 3)")
        say("      " + self.sql("SELECT 'index ' || pg_size_pretty(pg_relation_size('search_documents_terms')) || ', documents ' "
                                "|| pg_size_pretty(pg_table_size('search_documents'))"))

    @staticmethod
    def check(gateway: str, token: str) -> None:
        """The figures are worth nothing unless something is found."""
        url = f"{gateway}/api/search?q={urllib.parse.quote('油皮防晒霜')}"
        request = urllib.request.Request(url, headers={"Authorization": f"Bearer {token}"})
        with urllib.request.urlopen(request, timeout=30) as answer:
            items = json.load(answer)["items"]
        if not items or "油皮防晒霜" not in items[0]["content"]["title"]:
            raise StackError("the first search found something else")


def tenant_of(token: str) -> str:
    claims = token.split(".")[1]
    return json.loads(base64.urlsafe_b64decode(claims + "=" * (-len(claims) % 4)))["tenant"]


def wrk(gateway: str, token: str, file: pathlib.Path, seconds: int) -> dict:
    return run_wrk(
        ["-c", str(CONNECTIONS), "-d", f"{seconds}s", "-s", str(HERE / "search.lua"), gateway, "--", token, str(file)])


def milliseconds(text: str) -> float:
    for unit, factor in (("us", 0.001), ("ms", 1), ("s", 1000), ("m", 60_000)):
        if text.endswith(unit):
            return float(text.removesuffix(unit)) * factor
    raise StackError(f"no latency: {text}")


def main() -> None:
    with release_stack() as (stack, directory):
        stack.start_services(EXECUTABLES, {"gateway-bff": {"RATE_LIMIT_SCALE": "100000"}})
        bench = SearchBench(stack, directory)
        bench.fill()
        bench.measure()


if __name__ == "__main__":
    main()
