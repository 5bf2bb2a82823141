"""Buckets with versions, as far as their deletion needs them: tags, policy, versions, delete markers, locks."""

import json
from dataclasses import dataclass, field

from .calls import refused

PAGE = 3
"""Versions in one page of ListObjectVersions: few, so that something happens between two pages."""


@dataclass
class Version:
    """A version of an object, or a delete marker. `number`: greater is newer."""

    key: str
    number: int
    marker: bool = False
    locked: bool = False

    @property
    def order(self):
        """Lists are in the order of keys, then from new to old."""
        return self.key, -self.number


@dataclass
class Bucket:
    """A bucket. `listed`: number of the newest version that any list could show."""

    tags: dict[str, str]
    policy: str = ""
    versions: list[Version] = field(default_factory=list)
    listed: int = 0

    @property
    def closed(self):
        statements = json.loads(self.policy)["Statement"] if self.policy else []
        return any(each["Effect"] == "Deny" and each["Action"] == "s3:PutObject" for each in statements)


class Buckets:
    """Buckets by name. `acts`: what others do before the next calls, one for each call; `slow`: DeleteObjects with errors."""

    def __init__(self, world):
        self._world, self.buckets, self._number = world, {}, 0
        self.acts, self.slow = [], 0

    def put(self, bucket, key, *, marker=False, locked=False):
        """Write an object, or delete it without a version: whether the bucket's policy allows it."""
        found = self.buckets.get(bucket)
        if found is None or (found.closed and not marker):
            return False
        self._number += 1
        found.versions.append(Version(key, self._number, marker, locked))
        return True

    def delete_bucket(self, bucket):
        """What CloudFormation does after the custom resource: the reason when S3 refuses it, else nothing."""
        if self.buckets[bucket].versions:
            return "The bucket you tried to delete is not empty. You must delete all versions in the bucket."
        del self.buckets[bucket]
        return ""

    def _bucket(self, operation, name):
        if self.acts and (act := self.acts.pop(0)):
            act()
        if name not in self.buckets:
            raise refused(operation, "NoSuchBucket", "The specified bucket does not exist", 404)
        return self.buckets[name]

    def get_bucket_tagging(self, Bucket):
        tags = self._bucket("GetBucketTagging", Bucket).tags
        if not tags:
            raise refused("GetBucketTagging", "NoSuchTagSet", "The TagSet does not exist", 404)
        return {"TagSet": [{"Key": name, "Value": value} for name, value in tags.items()]}

    def get_bucket_policy(self, Bucket):
        policy = self._bucket("GetBucketPolicy", Bucket).policy
        if not policy:
            raise refused("GetBucketPolicy", "NoSuchBucketPolicy", "The bucket policy does not exist", 404)
        return {"Policy": policy}

    def put_bucket_policy(self, Bucket, Policy):
        self._world.tell(f"  … closes {Bucket}")
        self._bucket("PutBucketPolicy", Bucket).policy = Policy
        return {}

    def list_object_versions(self, Bucket, KeyMarker="", VersionIdMarker="", **_):
        bucket = self._bucket("ListObjectVersions", Bucket)
        if not KeyMarker:
            bucket.listed = self._number
        after = (KeyMarker, -int(VersionIdMarker)) if KeyMarker else ("", 0)
        rest = sorted((each for each in bucket.versions if each.order > after), key=lambda each: each.order)
        page = rest[:PAGE]
        answer = {"IsTruncated": len(rest) > PAGE}
        for name, marker in (("Versions", False), ("DeleteMarkers", True)):
            if entries := [each for each in page if each.marker is marker]:
                answer[name] = [{"Key": each.key, "VersionId": str(each.number)} for each in entries]
        if answer["IsTruncated"]:
            answer |= {"NextKeyMarker": page[-1].key, "NextVersionIdMarker": str(page[-1].number)}
        return answer

    def delete_objects(self, Bucket, Delete):
        bucket, errors = self._bucket("DeleteObjects", Bucket), []
        for each in Delete["Objects"]:
            key, number = each["Key"], int(each["VersionId"])
            found = next((version for version in bucket.versions if version.number == number), None)
            if found and found.locked:
                reason = {"Code": "AccessDenied", "Message": "Access Denied because object protected by object lock."}
                errors.append({"Key": key, "VersionId": each["VersionId"], **reason})
            elif self.slow:
                self.slow -= 1
                reason = {"Code": "SlowDown", "Message": "Please reduce your request rate."}
                errors.append({"Key": key, "VersionId": each["VersionId"], **reason})
            elif found:
                bucket.versions.remove(found)
        self._world.tell(f"  … deletes {len(Delete['Objects']) - len(errors)} versions in {Bucket}")
        return {"Errors": errors} if errors else {}
