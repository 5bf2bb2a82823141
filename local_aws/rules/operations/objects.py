"""S3: objects, their metadata and tags, copies, uploads in parts, buckets."""

from typing import Any
from urllib.parse import parse_qsl, unquote

from ..checks import either, found, larger_than, matching, more_than, not_matching, outside, size
from ..rule import Check, Entry, NotEnforced, Request, Values, table

PUT = "S3 API reference: PutObject"
COPY = "S3 API reference: CopyObject"
PARTS = "S3 user guide: Amazon S3 multipart upload limits"
KEYS = "S3 user guide: Naming Amazon S3 objects"
NAMES = "S3 user guide: General purpose bucket naming rules"
rule = table("s3", "InvalidArgument", PUT)

WRITES = "PutObject CopyObject CreateMultipartUpload"
GIGABYTES = 1024**3
OBJECT = {"Bucket": "bucket", "Key": "k"}


def put(**more: Any) -> dict[str, Any]:
    """Parameters of PutObject."""
    return {**OBJECT, **more}


def copy(**more: Any) -> dict[str, Any]:
    """Parameters of CopyObject."""
    return {**OBJECT, "CopySource": "bucket/source", **more}


def _metadata_too_large(request: Request) -> bool:
    pairs = request.params.get("Metadata") or {}
    return sum(size(key) + size(value) for key, value in pairs.items()) > 2048


def _tags(request: Request) -> list[tuple[str, str]]:
    given = [(tag["Key"], tag["Value"]) for tag in found(request.params, "Tagging.TagSet[]")]
    text = request.params.get("Tagging")
    return given or (parse_qsl(text, keep_blank_values=True) if isinstance(text, str) else [])


def _long_tag(request: Request) -> bool:
    return any(len(key) > 128 or len(value) > 256 for key, value in _tags(request))


def _repeated_tag(request: Request) -> bool:
    keys = [key for key, _ in _tags(request)]
    return len(set(keys)) < len(keys)


def _lock_of_one_part(request: Request) -> bool:
    return ("ObjectLockMode" in request.params) != ("ObjectLockRetainUntilDate" in request.params)


def _copies_onto_itself(request: Request) -> bool:
    source = request.params.get("CopySource", "")
    source = unquote(source.partition("?")[0]).lstrip("/") if isinstance(source, str) else ""
    changes = ("MetadataDirective", "TaggingDirective", "StorageClass", "ServerSideEncryption", "SSEKMSKeyId")
    same = source == f"{request.params['Bucket']}/{request.params['Key']}"
    versioned = "versionId" in str(request.params.get("CopySource"))
    return same and not versioned and not any(request.params.get(name) in ("REPLACE", *_NO_COPY) for name in changes)


_NO_COPY = ("aws:kms", "AES256", "STANDARD_IA", "GLACIER", "INTELLIGENT_TIERING")


def _kms_key_without_kms(request: Request) -> bool:
    algorithm = request.params.get("ServerSideEncryption", "")
    return bool(request.params.get("SSEKMSKeyId")) and not algorithm.startswith("aws:kms")


def _unordered_parts(request: Request) -> bool:
    numbers = list(found(request.params, "MultipartUpload.Parts[].PartNumber"))
    return numbers != sorted(numbers)


def _parts(*numbers: int) -> dict[str, Any]:
    parts = [{"PartNumber": number, "ETag": "e"} for number in numbers]
    return {**OBJECT, "UploadId": "u", "MultipartUpload": {"Parts": parts}}


def _body(limit: int) -> Check:
    return lambda request: request.size > limit


def _location(request: Request) -> Values | None:
    named = next(found(request.params, "CreateBucketConfiguration.LocationConstraint"), "")
    if named == "us-east-1":
        return {"value": named}
    return None


ENTRIES: tuple[Entry, ...] = (
    rule(
        f"{WRITES} GetObject HeadObject UploadPart",
        "A key has at most 1,024 bytes in UTF-8.",
        "Your key is too long",
        larger_than(1024, "Key"),
        put(Key="k" * 1024),
        put(Key="ü" * 513),
        code="KeyTooLongError",
        source=KEYS,
    ),
    rule(
        WRITES,
        "User-defined metadata is at most 2 KB: keys and values together.",
        "Your metadata headers exceed the maximum allowed metadata size",
        _metadata_too_large,
        put(Metadata={"a": "b"}),
        put(Metadata={"a": "x" * 2048}),
        code="MetadataTooLarge",
        source="S3 user guide: Working with object metadata",
    ),
    rule(
        f"{WRITES} PutObjectTagging",
        "An object has at most ten tags.",
        "Object tags cannot be greater than 10",
        lambda request: len(_tags(request)) > 10,
        put(Tagging="a=b"),
        put(Tagging="&".join(f"k{index}=v" for index in range(11))),
        code="BadRequest",
        source="S3 user guide: Categorizing your objects using tags",
    ),
    rule(
        f"{WRITES} PutObjectTagging",
        "A tag's key has up to 128 characters, its value up to 256.",
        "The TagValue you have provided is invalid",
        _long_tag,
        put(Tagging="a=b"),
        put(Tagging=f"a={'v' * 257}"),
        code="InvalidTag",
        source="S3 user guide: Categorizing your objects using tags",
    ),
    rule(
        f"{WRITES} PutObjectTagging",
        "Tag keys of an object are unique.",
        "Cannot provide multiple Tags with the same key",
        _repeated_tag,
        put(Tagging="a=b&c=d"),
        put(Tagging="a=b&a=d"),
        code="InvalidTag",
        source="S3 user guide: Categorizing your objects using tags",
    ),
    rule(
        "PutObject",
        "An object is put in one request up to 5 GB.",
        "Your proposed upload exceeds the maximum allowed size",
        _body(5 * GIGABYTES),
        put(),
        put(),
        code="EntityTooLarge",
        source="S3 user guide: Uploading objects",
        sent_refused={"size": 5 * GIGABYTES + 1},
    ),
    rule(
        "PutObject CopyObject CompleteMultipartUpload",
        "If-None-Match of a write is * and nothing else.",
        "A header you provided implies functionality that is not implemented",
        not_matching(r"\*", "IfNoneMatch"),
        put(IfNoneMatch="*"),
        put(IfNoneMatch='"etag"'),
        code="NotImplemented",
        source="S3 user guide: How to prevent object overwrites with conditional writes",
        status=501,
    ),
    rule(
        WRITES,
        "A retention has both a mode and a date.",
        "x-amz-object-lock-retain-until-date and x-amz-object-lock-mode must both be supplied",
        _lock_of_one_part,
        put(),
        put(ObjectLockMode="GOVERNANCE"),
        source="S3 user guide: Object Lock considerations",
    ),
    rule(
        WRITES,
        "A KMS key is named together with encryption by KMS.",
        "Server Side Encryption with AWS KMS managed key requires HTTP header x-amz-server-side-encryption : aws:kms",
        _kms_key_without_kms,
        put(ServerSideEncryption="aws:kms", SSEKMSKeyId="k"),
        put(SSEKMSKeyId="k"),
        source="S3 user guide: Specifying server-side encryption with AWS KMS",
    ),
    rule(
        WRITES,
        "An object's storage class is one of S3's.",
        "The storage class you specified is not valid",
        not_matching(
            "STANDARD|REDUCED_REDUNDANCY|STANDARD_IA|ONEZONE_IA|INTELLIGENT_TIERING|GLACIER|DEEP_ARCHIVE|OUTPOSTS|"
            "GLACIER_IR|SNOW|EXPRESS_ONEZONE|FSX_OPENZFS|FSX_ONTAP",
            "StorageClass",
        ),
        put(StorageClass="STANDARD_IA"),
        put(StorageClass="COLD"),
        code="InvalidStorageClass",
    ),
    rule(
        "CopyObject",
        "An object is copied onto itself only with a change of metadata, storage class or encryption.",
        "This copy request is illegal because it is trying to copy an object to itself without changing the object's "
        "metadata, storage class, website redirect location or encryption attributes.",
        _copies_onto_itself,
        copy(),
        copy(CopySource="bucket/k"),
        code="InvalidRequest",
        source=COPY,
    ),
    NotEnforced(
        "s3",
        "CopyObject",
        "A copy with If-None-Match is refused with 412 where the key exists.",
        COPY,
        "Moto's copy is replaced by one that does it (local_aws/object_writes.py).",
    ),
    NotEnforced(
        "s3",
        "CopyObject",
        "The source of a copy is at most 5 GB.",
        COPY,
        "Moto copies what it holds in memory, which is less.",
    ),
    rule(
        "DeleteObjects",
        "A request deletes at most 1,000 objects.",
        "The XML you provided was not well-formed or did not validate against our published schema",
        either(more_than(1000, "Delete.Objects"), lambda request: not request.params["Delete"].get("Objects")),
        {"Bucket": "bucket", "Delete": {"Objects": [{"Key": "k"}]}},
        {"Bucket": "bucket", "Delete": {"Objects": [{"Key": f"k{index}"} for index in range(1001)]}},
        code="MalformedXML",
        source="S3 API reference: DeleteObjects",
    ),
    rule(
        "UploadPart UploadPartCopy",
        "Parts have numbers from 1 to 10,000.",
        "Part number must be an integer between 1 and 10000, inclusive",
        outside(1, 10000, "PartNumber"),
        put(UploadId="u", PartNumber=1),
        put(UploadId="u", PartNumber=10001),
        source=PARTS,
    ),
    rule(
        "CompleteMultipartUpload",
        "Parts are listed in ascending order.",
        "The list of parts was not in ascending order. The parts list must be specified in order by part number.",
        _unordered_parts,
        _parts(1, 2),
        _parts(2, 1),
        code="InvalidPartOrder",
        source="S3 API reference: CompleteMultipartUpload",
    ),
    rule(
        "ListObjectsV2 ListObjectVersions",
        "A page of a list has a size that is not negative.",
        "Argument maxKeys must be an integer between 0 and 2147483647",
        outside(0, 2**31 - 1, "MaxKeys"),
        {"Bucket": "bucket", "MaxKeys": 1000},
        {"Bucket": "bucket", "MaxKeys": -1},
        source="S3 API reference: ListObjectsV2",
    ),
    rule(
        "CreateBucket",
        "A bucket's name has 3 to 63 lowercase letters, digits, dots and hyphens.",
        "The specified bucket is not valid.",
        either(
            not_matching(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]", "Bucket"),
            matching(
                r"\.\.|^xn--|^sthree-|^amzn-s3-demo-|-s3alias$|--ol-s3$|\.mrap$|--x-s3$|^\d+\.\d+\.\d+\.\d+$", "Bucket"
            ),
        ),
        {"Bucket": "bucket-1"},
        {"Bucket": "Bucket_1"},
        code="InvalidBucketName",
        source=NAMES,
    ),
    rule(
        "CreateBucket",
        "A location constraint does not name us-east-1, which is the location without a constraint.",
        "The specified location-constraint is not valid",
        _location,
        {"Bucket": "bucket-1"},
        {"Bucket": "bucket-1", "CreateBucketConfiguration": {"LocationConstraint": "us-east-1"}},
        code="InvalidLocationConstraint",
        source="S3 API reference: CreateBucket",
    ),
)
